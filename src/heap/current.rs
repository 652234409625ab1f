//! The calling thread's heap.

use super::late::LATE_THREAD;
use super::state::{Heap, OwnHeap};
use super::{light, metered};
use crate::os;

/// The calling thread's relation to its heap.
pub(crate) enum Current {
    Heap(OwnHeap),
    /// Not born yet.
    Unborn,
    /// Torn down: served by the shared heap from now on.
    Late,
}

/// The calling thread's heap.
#[inline(always)]
pub(crate) fn current() -> Current {
    let word = os::tls::get();
    if light::calls_of(word).is_some() {
        return Current::Unborn;
    }
    if core::ptr::eq(word, (&raw const LATE_THREAD).cast()) {
        return Current::Late;
    }
    // SAFETY: the word is one of the two statics, or names the heap that `adopt_or_make` put there, by itself or by its second bins.
    let heap = unsafe { &*metered::plain(word).cast::<Heap>() };
    // SAFETY: the calling thread's word.
    Current::Heap(unsafe { OwnHeap::of(heap) })
}
