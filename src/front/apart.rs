//! What slow paths do besides, for arenas: their blocks come from heaps of their own, but memory is everybody's.
#![forbid(unsafe_code)]

use super::source::{insist, out_of_memory};
use super::{late, paranoid, requests, thread};
use crate::base::fresh::Fresh;
use crate::hardened;
use crate::heap::OwnHeap;
use crate::os::gate::{self, Inside};
use crate::reclaim;

/// Where locks may be taken; `None`: a fork on its way kept us out for longer than is to be waited for.
fn enter() -> Option<Inside> {
    let inside = gate::enter().or_else(gate::enter_later)?;
    late::take_in();
    Some(inside)
}

/// A block as `attempt` gives it. Where it gives none, it is asked once more when everything idle was given back, if `may_help` says so. A
/// fork that lasts is no reason for none: then it is one of the reserve, which belongs to nobody. Any thread that holds no lock.
#[inline]
pub(crate) fn serve(
    (size, align): (usize, usize),
    attempt: impl Fn() -> Option<Fresh>,
    may_help: impl Fn() -> bool,
) -> *mut u8 {
    requests::answer();
    reclaim::ensure_background();
    let Some(inside) = enter() else {
        return late::alloc(size, align).map_or_else(|_| out_of_memory(), Fresh::into_raw);
    };
    let fresh = insist(attempt, may_help);
    reclaim::after_class();
    paranoid::after_slow_path();
    drop(inside);
    fresh.map_or_else(out_of_memory, Fresh::into_raw)
}

/// Does something that takes locks, and what is due where it freed memory. `None`: not done, as in `serve`. Any thread that holds no lock.
#[inline]
pub(crate) fn inside<T>(work: impl FnOnce() -> T) -> Option<T> {
    look(|| {
        let done = work();
        reclaim::after_free();
        paranoid::after_slow_path();
        done
    })
}

/// Looks at something under locks, and does nothing that is due: a report has not the stack for it. Else as `inside`.
#[inline]
pub(crate) fn look<T>(work: impl FnOnce() -> T) -> Option<T> {
    let saved = errno::errno();
    let inside = enter()?;
    let done = work();
    drop(inside);
    errno::set_errno(saved);
    Some(done)
}

/// Opens the gates of a heap's magazines, as far as a thread's would be.
pub(crate) fn prepare(heap: OwnHeap) {
    // Of the light form's threads each knows how to check what it pops; an arena's handle does not.
    if hardened::is_on() { heap.shut() } else { thread::prepare(heap) }
}

/// The calling thread's heap, made or adopted if need be; `None`: it is to have none. Behind the gate.
pub(crate) fn own_heap() -> Option<OwnHeap> {
    match thread::enter() {
        Some(thread::Caller::Own(heap)) => Some(heap),
        _ => None,
    }
}
