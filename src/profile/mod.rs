//! Box `profile` (L3): the heap profiler's samples. While it is on, each allocation is counted by its thread's `Meter`, and now and then
//! one is sampled: its stack is kept, and its block noted until it is freed.
//! Owns: the tables, mapped when it is first switched on and never unmapped; the stacks that it unwinds on.
//! Calls: base, class, os, config, stats, trace.   Called by: heap (which has the meters), large, front, abi.
//! Locks: `WRITING` and `COPIED`, only tried, while a profile is written or the peak copied; the unwinder may take the loader's.   Threads: any.
//! Never: allocates; unwinds behind the gate, or while a lock is held.

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
mod usdt;

use core::mem::{offset_of, size_of};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use crate::base::addr::Addr;
use crate::base::bits::round_up;
use crate::base::layout::{self, At};
use crate::base::sync::AtomicUsize;
use crate::config;
use crate::os::names::{self, Name};
use crate::os::{self, gate};
use crate::trace;
use live::{Ended, Live, Sample};
use sites::{Freed, Site, Sites};

pub(crate) use draw::bytes;
pub(crate) use meter::Meter;
pub(crate) use occasions::{Occasion, answer as write_occasions, note};
pub(crate) use output::{at_exit, at_fork_child as forget_writer, dump};

const LIVE: usize = 1 << 17;
const SITES: usize = 1 << 15;
const WORDS: usize = 1 << 20;

/// All of it zero at first. 17 MiB, touched where used.
struct Tables {
    sites: [Site; SITES],
    freed: [Freed; SITES],
    taken: [AtomicU64; SITES / 64],
    samples: [Sample; LIVE],
    places: [AtomicUsize; LIVE],
    words: [AtomicUsize; WORDS],
    used: AtomicUsize,
}

pub(crate) const LAYOUT: layout::Profile = layout::Profile {
    tables_at: At((&raw const TABLES).cast()),
    tables_bytes: size_of::<Tables>(),
    stacks_at: stacks::AT,
    stacks_bytes: stacks::ALL,
    places: offset_of!(Tables, places),
    samples: offset_of!(Tables, samples),
    sample_count: LIVE,
    sample_size: size_of::<Sample>(),
    sample_site: Sample::SITE,
    sites: offset_of!(Tables, sites),
    site_size: size_of::<Site>(),
    site_frames: Site::FRAMES,
    site_name: Site::NAME,
    words: offset_of!(Tables, words),
};

const _: () = assert!(size_of::<Tables>() + (2 << 20) <= 24 << 20, "docs/PROFILING.md says so");

static TABLES: AtomicPtr<Tables> = AtomicPtr::new(core::ptr::null_mut());
/// Whether the unwinder is loaded. Relaxed: what it says is of the loader's own making, and ordered by its lock.
static UNWINDS: AtomicBool = AtomicBool::new(false);
/// Whether it is on for an agent's sake only.
static FOR_AGENT: AtomicBool = AtomicBool::new(false);
/// What `usdt::is_attached` said when it was last acted upon.
static AGENT_SEEN: AtomicBool = AtomicBool::new(false);
static ON: AtomicBool = AtomicBool::new(false);
/// Where a reader outside of the process finds that.
pub(crate) const ON_AT: At = At((&raw const ON).cast());
/// Whether it ever was on.
static BEGUN: AtomicBool = AtomicBool::new(false);
/// Estimate of what is live of all that was counted.
static LIVE_BYTES: AtomicU64 = AtomicU64::new(0);
/// Mean bytes between samples. Set once, before the tables are there.
static RATE: AtomicU64 = AtomicU64::new(0);

/// What the profile lacks.
pub(crate) struct Lost {
    /// Samples for which `LIVE` had no room: never seen to be freed.
    pub(crate) blocks: AtomicU64,
    /// Samples whose stack is not known: no room for it, or all stacks to unwind on were in use.
    pub(crate) stacks: AtomicU64,
    /// Samples that were not taken: no memory, or another thread forked.
    pub(crate) samples: AtomicU64,
}

pub(crate) static LOST: Lost =
    Lost { blocks: AtomicU64::new(0), stacks: AtomicU64::new(0), samples: AtomicU64::new(0) };

/// Why the profiler does not start.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    NoMemory,
    /// The program has no loader, and so no unwinder.
    NoUnwinder,
}

/// Whether allocations are to be counted.
#[inline(always)]
pub(crate) fn is_on() -> bool {
    // Relaxed: who goes on to the tables acquires them.
    ON.load(Ordering::Relaxed)
}

fn rate() -> u64 {
    // Relaxed: set before the tables are published, and a meter that reads 0 samples once too often.
    RATE.load(Ordering::Relaxed)
}

/// Whether anything was ever counted.
pub(crate) fn was_on() -> bool {
    tables().is_some()
}

fn tables() -> Option<&'static Tables> {
    // SAFETY: null, or mapped for ever. Acquire pairs with the Release in `prepare`.
    unsafe { TABLES.load(Ordering::Acquire).as_ref() }
}

impl Tables {
    fn sites(&self) -> Sites<'_> {
        let Tables { sites, freed, taken, words, used, .. } = self;
        Sites { sites, freed, taken, words, used }
    }

    fn live(&self) -> Live<'_> {
        Live::new(&self.places, &self.samples)
    }
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
    if tables().is_some() {
        return Ok(());
    }
    let _inside = gate::enter_later().ok_or(Refused::NoMemory)?;
    let bytes = round_up(size_of::<Tables>(), os::page_size()).ok_or(Refused::NoMemory)?;
    let at = os::map(bytes).ok_or(Refused::NoMemory)?;
    names::give(at, bytes, Name::Profile);
    os::advise_huge(at, bytes, false);
    // Relaxed: published below.
    RATE.store(config::get::prof_rate().max(1) as u64, Ordering::Relaxed);
    // Of two threads that come here at once, one's tables stay. Release pairs with the Acquire in `tables`; zeroes are valid.
    let first =
        TABLES.compare_exchange(core::ptr::null_mut(), at.as_ptr(), Ordering::Release, Ordering::Relaxed).is_ok();
    if !first {
        os::unmap(at, bytes);
    }
    // Without them all stacks are lost, and counted.
    stacks::map();
    Ok(())
}

/// Says whether allocations are counted from now on.
pub(crate) fn set_on(on: bool) {
    let on = on && tables().is_some();
    // Relaxed, both: they publish nothing.
    BEGUN.fetch_or(on, Ordering::Relaxed);
    ON.store(on, Ordering::Relaxed);
}

/// Whether an agent has come or gone since the profiler was last switched for one.
#[inline]
pub(crate) fn is_agent_news() -> bool {
    // Relaxed, both: of two threads that see it the swap elects one.
    usdt::is_attached() != AGENT_SEEN.load(Ordering::Relaxed)
}

/// What is to be done about that: whether to switch on, or off.
pub(crate) fn take_agent_news() -> Option<bool> {
    let attached = usdt::is_attached();
    if AGENT_SEEN.swap(attached, Ordering::Relaxed) == attached {
        return None;
    }
    if attached {
        let starts = !is_on();
        FOR_AGENT.fetch_or(starts, Ordering::Relaxed);
        return starts.then_some(true);
    }
    FOR_AGENT.swap(false, Ordering::Relaxed).then_some(false)
}

/// From now on it is on for the program's own sake too.
pub(crate) fn keep_on() {
    FOR_AGENT.store(false, Ordering::Relaxed);
}

/// Keeps the calling thread's stack, and says its number. Not behind the gate, no lock held. Changes errno.
#[cold]
#[inline(never)]
pub(crate) fn stack() -> u32 {
    let Some(tables) = tables().filter(|_| UNWINDS.load(Ordering::Relaxed)) else { return 0 };
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
    let Some(tables) = tables() else { return };
    let made = os::monotonic_ms() as u32;
    let size = size.max(1);
    if !tables.live().insert(at.0, Ended { site: stack, size, made }) {
        LOST.blocks.fetch_add(1, Ordering::Relaxed);
    }
    let weight = draw::weight(size as u64, rate());
    tables.sites().note_alloc(stack, weight);
    // Relaxed: a figure.
    usdt::alloc(at.0, size as u64, weight.bytes);
    let live = LIVE_BYTES.fetch_add(weight.bytes, Ordering::Relaxed) + weight.bytes;
    peak::look(&tables.sites(), live);
}

/// Counts a sample that could not be taken.
pub(crate) fn lose_sample() {
    LOST.samples.fetch_add(1, Ordering::Relaxed);
}

/// Notes that the block at `at`, which may be a sampled one, is freed.
pub(crate) fn end(at: Addr) {
    let Some(tables) = tables() else { return };
    if let Some(Ended { site, size, made }) = tables.live().remove(at.0) {
        let weight = draw::weight(size as u64, rate());
        tables.sites().note_free(site, weight, (os::monotonic_ms() as u32).wrapping_sub(made));
        usdt::free(at.0);
        LIVE_BYTES.fetch_sub(weight.bytes, Ordering::Relaxed);
    }
}

fn live_bytes() -> u64 {
    LIVE_BYTES.load(Ordering::Relaxed)
}

/// In a child of fork, where no other thread is.
pub(crate) fn at_fork_child() {
    stacks::forget();
    occasions::forget();
    peak::forget();
    forget_writer();
}

static DUMPS: AtomicU32 = AtomicU32::new(0);

#[cfg(test)]
mod tests {
    use super::*;
    use draw::Weight;

    #[test]
    fn what_is_live_is_what_was_not_freed_at_any_age() {
        // SAFETY: zeroes are valid, and the allocator's.
        let tables = unsafe { std::boxed::Box::<Tables>::new_zeroed().assume_init() };
        let sites = tables.sites();
        let number = sites.keep(&[1, 2], [3, 4]);
        let weight = |objects| Weight { objects, bytes: 10 * objects };
        sites.note_alloc(number, weight(7));
        sites.note_alloc(0, weight(5));
        sites.copy_peak();
        sites.note_free(number, weight(2), 0);
        sites.note_free(number, weight(3), 5000);
        let all: std::vec::Vec<_> = sites.each().collect();
        let [(0, unknown), (found, totals)] = all[..] else { panic!("{all:?}") };
        assert_eq!((unknown.live(), unknown.peak), (weight(5), weight(5)));
        assert_eq!((found, totals.live(), totals.peak), (number, weight(2), weight(7)));
        assert_eq!((totals.freed[0], totals.freed[4]), (weight(2), weight(3)));
    }
}
