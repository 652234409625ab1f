//! Box `profile` (L3): the heap profiler's samples. While it is on, each allocation is counted by its thread's `Meter`, and now and then
//! one is sampled: its stack is kept, and its block noted until it is freed.
//! Owns: the tables, mapped when it is first switched on and never unmapped; the stacks that it unwinds on.
//! Calls: base, class, os, config, stats, trace.   Called by: guard, heap (which has the meters), reclaim, front, abi.
//! Locks: `WRITING` and `COPIED`, only tried, while a profile is written or the peak copied; the unwinder may take the loader's.   Threads: any.
//! Never: allocates; unwinds behind the gate, or while a lock is held.

mod counts;
mod draw;
mod frame_pointers;
mod lists;
mod live;
mod meter;
mod objects;
mod occasions;
mod output;
mod peak;
mod pprof;
mod sites;
mod stacks;
mod switch;
mod tables;
mod usdt;

use core::sync::atomic::{AtomicBool, Ordering};

use crate::base::addr::Addr;
use crate::os::{self, gate};
use crate::trace;
use live::Ended;

pub(crate) use counts::LOST;
pub(crate) use draw::{bytes, gap};
pub(crate) use meter::Meter;
pub(crate) use occasions::{Occasion, note};
pub(crate) use output::{at_exit, at_fork_child as forget_writer, dump, write_occasions};
pub(crate) use switch::{ON_AT, is_agent_news, is_on, keep_on, set_on, take_agent_news};
pub(crate) use tables::LAYOUT;

/// Whether the unwinder is loaded. Relaxed: what it says is of the loader's own making, and ordered by its lock.
static UNWINDS: AtomicBool = AtomicBool::new(false);

/// Why the profiler does not start.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    NoMemory,
    /// The program has no loader, and so no unwinder.
    NoUnwinder,
}

/// Whether anything was ever counted.
pub(crate) fn was_on() -> bool {
    tables::get().is_some()
}

/// Makes all that sampling needs, the first time; may allocate, and takes the loader's lock. Any thread, not behind the gate.
pub(crate) fn prepare() -> Result<(), Refused> {
    if !UNWINDS.load(Ordering::Relaxed) {
        if !trace::load_unwinder() {
            return Err(Refused::NoUnwinder);
        }
        frame_pointers::load();
        UNWINDS.store(true, Ordering::Relaxed);
    }
    prepare_tables()
}

/// The same without stacks, which an agent takes itself: neither allocates nor asks the loader.
pub(crate) fn prepare_tables() -> Result<(), Refused> {
    if tables::get().is_some() {
        return Ok(());
    }
    let _inside = gate::enter_later().ok_or(Refused::NoMemory)?;
    tables::map().ok_or(Refused::NoMemory)?;
    // Without them all stacks are lost, and counted.
    stacks::map();
    Ok(())
}

/// Keeps the calling thread's stack, and says its number. Not behind the gate, no lock held. Changes errno.
#[cold]
#[inline(never)]
pub(crate) fn stack() -> u32 {
    let Some(tables) = tables::get().filter(|_| UNWINDS.load(Ordering::Relaxed)) else { return 0 };
    let mut number = 0;
    let name = os::thread::name();
    stacks::with(&mut |frames| number = tables.sites().keep(frames, name));
    if number == 0 {
        LOST.stacks.fetch_add(1, Ordering::Relaxed);
    }
    number
}

/// Notes that the block at `at`, sampled for a request of `size` bytes, was made by the stack of this number.
pub(crate) fn begin(at: Addr, size: usize, stack: u32) {
    let Some(tables) = tables::get() else { return };
    let made = os::monotonic_ms() as u32;
    let size = size.max(1);
    if !tables.live().insert(at.0, Ended { site: stack, size, made }) {
        LOST.blocks.fetch_add(1, Ordering::Relaxed);
    }
    let weight = draw::weight(size as u64, tables::rate());
    tables.sites().note_alloc(stack, weight);
    usdt::alloc(at.0, size as u64, weight.bytes);
    let live = counts::add_live(weight.bytes);
    peak::look(&tables.sites(), live);
}

/// Counts a sample that could not be taken.
pub(crate) fn lose_sample() {
    LOST.samples.fetch_add(1, Ordering::Relaxed);
}

/// Notes that the block at `at`, which may be a sampled one, is freed.
pub(crate) fn end(at: Addr) {
    let Some(tables) = tables::get() else { return };
    if let Some(Ended { site, size, made }) = tables.live().remove(at.0) {
        let weight = draw::weight(size as u64, tables::rate());
        tables.sites().note_free(site, weight, (os::monotonic_ms() as u32).wrapping_sub(made));
        usdt::free(at.0);
        counts::sub_live(weight.bytes);
    }
}

/// In a child of fork, where no other thread is.
pub(crate) fn at_fork_child() {
    stacks::forget();
    occasions::forget();
    peak::forget();
    forget_writer();
}
