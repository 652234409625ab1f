//! All that is idle, at once: asked for by the program, or before a request fails. What the caller keeps at hand goes first.
#![forbid(unsafe_code)]

use super::{late, paranoid};
use crate::baseline;
use crate::hardened;
use crate::heap::{self, Current};
use crate::os::gate;
use crate::reclaim;

/// Gives the calling thread's caches back to the spans, takes every heap's inbox in, and gives everything idle back to
/// the kernel. Returns the bytes given back. Any thread.
pub(crate) fn trim() -> usize {
    let Some(_inside) = gate::enter_anew() else { return 0 };
    flush_thread();
    reclaim::give_back(true, false)
}

/// Before a request fails: gives back the caller's caches, and what all heaps hold idle, as far as their locks are free.
#[cold]
pub(super) fn make_room() {
    flush_thread();
    reclaim::give_back(false, true);
}

/// Gives the calling thread's caches back to the spans and sends what it holds of other heaps' blocks.
pub(crate) fn flush_thread() {
    let Some(_inside) = gate::enter() else { return };
    late::take_in();
    if let Current::Heap(heap) = heap::current() {
        baseline::flush_all(heap);
        hardened::flush_all(heap);
        heap.flush_all();
    }
    paranoid::after_slow_path();
}
