//! What a call comes to whose thread's allocations are counted: its bytes are, and then it is served as ever, or sampled.

use errno::{errno, set_errno};

use super::{late, paranoid, source};
use crate::base::addr::Addr;
use crate::base::fresh::Fresh;
use crate::class::{self, ClassId, MID_MAX, TINY_MAX};
use crate::config::get;
use crate::heap::{self, Lend, OwnHeap, Popped};
use crate::large;
use crate::os::gate;
use crate::os::signal::{self, Request};
use crate::profile::{self, Refused};
use crate::reclaim;
use crate::record;

/// Counts all allocations from now on, of all threads. Not behind the gate; may allocate.
#[cold]
pub(crate) fn start() -> Result<(), Refused> {
    profile::prepare()?;
    profile::keep_on();
    switch_on()
}

fn switch_on() -> Result<(), Refused> {
    let _inside = gate::enter_later().ok_or(Refused::NoMemory)?;
    heap::sample_heap().ok_or(Refused::NoMemory)?;
    profile::set_on(true);
    heap::meter_all();
    Ok(())
}

/// Makes all that `start` needs, which then neither allocates nor asks the loader. Not behind the gate.
#[cold]
pub(crate) fn prepare() -> Result<(), Refused> {
    profile::prepare()
}

/// The signal of `HAKMEM_PROF_SIGNAL` came: the profiler starts; if it runs, a profile is written, and it stops unless it was on from the start.
/// Nothing is held by the caller, who may be in the middle of anything.
#[cold]
#[inline(never)]
pub(super) fn at_signal() {
    if !profile::is_on() {
        // Without memory there is no sample either, and the next signal tries again.
        let _ = start();
        return;
    }
    match profile::dump(None) {
        // Another thread writes one, which may be older than the signal.
        Err(libc::EBUSY) => signal::request(Request::Profile),
        _ if get::prof() == 1 => {}
        _ => stop(),
    }
}

/// An agent has come, and wants samples, or has gone. Nothing is held by the caller, who may be in the middle of anything.
#[cold]
#[inline(never)]
pub(super) fn follow_agent() {
    match profile::take_agent_news() {
        // Without memory it gets none.
        Some(true) => {
            let _ = profile::prepare_tables().and_then(|()| switch_on());
        }
        Some(false) => stop(),
        None => {}
    }
}

/// Counts none from now on. What was sampled is known till it is freed.
#[cold]
pub(crate) fn stop() {
    profile::set_on(false);
    // A fork on its way: each thread is told by its next call.
    if let Some(_inside) = gate::enter_later() {
        heap::meter_all();
    }
}

/// What a counted `malloc` pays instead of a hit, so it is as short as may be; sizes above `MID_MAX`, which are rarer and dearer, are left to
/// the slow path. `None`: nothing was counted.
#[inline(always)]
pub(super) fn hit(heap: OwnHeap, size: usize) -> Option<Fresh> {
    if size <= TINY_MAX {
        return lent(heap, size);
    }
    if size > MID_MAX || !heap.meter().has(size) {
        return None;
    }
    // SAFETY: the offset of a class's bin.
    match unsafe { heap::bin_at(heap.addr().as_ptr(), class::small_bin_offset(size)) }.pop() {
        Popped::Block(block) => {
            heap.meter().count(size);
            Some(Fresh::new(block, false))
        }
        Popped::Empty => None,
    }
}

#[inline(never)]
fn lent(heap: OwnHeap, size: usize) -> Option<Fresh> {
    if record::is_on() {
        // Each call is to be seen.
        return None;
    }
    match heap.lend(ClassId::of(size)?) {
        Lend::Block(block) => Some(Fresh::new(block, false)),
        Lend::Sample => take(heap, size, 1),
        Lend::Nothing => None,
    }
}

/// Counts a request of a slow path; a block for it if it is to be sampled. Nothing is held by the caller.
#[inline]
pub(super) fn sample(size: usize, align: usize) -> Option<Fresh> {
    let heap = heap::metered().filter(|_| profile::is_on())?;
    if heap.meter().passes(size) || size > isize::MAX as usize {
        return None;
    }
    take(heap, size, align)
}

#[cold]
#[inline(never)]
fn take(heap: OwnHeap, size: usize, align: usize) -> Option<Fresh> {
    let stack = stack(heap)?;
    let fresh = serve(size, align, stack);
    if fresh.is_none() {
        profile::lose_sample();
    }
    fresh
}

/// The number of the calling thread's stack; `None`: it is not to be sampled after all. Keeps errno.
fn stack(heap: OwnHeap) -> Option<u32> {
    if !profile::is_on() {
        heap::follow(heap);
        return None;
    }
    let saved = errno();
    let stack = heap.meter().alone(profile::stack);
    set_errno(saved);
    stack
}

fn serve(size: usize, align: usize, stack: u32) -> Option<Fresh> {
    let _inside = gate::enter_anew()?;
    late::take_in();
    reclaim::before_alloc();
    let fresh = make(size, align)?;
    profile::begin(fresh.at(), size, stack);
    paranoid::after_slow_path();
    Some(fresh)
}

/// A block that is known as a sampled one: of the heap that has no others, or marked in its record.
fn make(size: usize, align: usize) -> Option<Fresh> {
    let Some(class) = source::class_for(size, align) else {
        let fresh = source::large_block(size, align)?;
        large::mark_sampled(fresh.at());
        return Some(fresh);
    };
    source::of_shared(heap::sample_heap()?, class, size)
}

/// A large block that was resized, and may have moved: its old size is freed, and its new one allocated.
pub(super) fn resized(old: Addr, at: Addr, size: usize) {
    if large::take_sampled(at) {
        profile::end(old);
    }
    let Some(heap) = heap::metered().filter(|_| profile::is_on()) else { return };
    if heap.meter().passes(size) {
        return;
    }
    let Some(stack) = stack(heap) else { return };
    large::mark_sampled(at);
    profile::begin(at, size, stack);
}
