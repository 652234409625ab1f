//! The list of all heaps, newest first. It only grows, at its head, and heaps are never freed: whoever walks it needs no lock, nor to be in
//! the process (`base/layout.rs`).

use core::sync::atomic::{AtomicPtr, Ordering};

use super::state::Heap;
use crate::base::addr::Addr;
use crate::stats::level;

pub(super) static HEAPS: AtomicPtr<Heap> = AtomicPtr::new(core::ptr::null_mut());

/// Where the list begins. Any thread.
pub(crate) fn newest() -> Option<&'static Heap> {
    // Acquire pairs with the Release in `put`.
    let newest = HEAPS.load(Ordering::Acquire);
    // SAFETY: null or a heap, and heaps are never freed.
    unsafe { newest.as_ref() }
}

/// Puts a heap, whose link is what `newest` says, on the list. Under the registry lock.
pub(super) fn put(heap: &'static Heap) {
    // Release pairs with the Acquire in `newest`: the heap is initialised.
    HEAPS.store(Addr::of(heap).as_ptr(), Ordering::Release);
    level::HEAPS.add_owned(1);
}

/// Calls `look` with every heap there is, newest first. No lock is held meanwhile: what is found in one may end the process, where a
/// handler of SIGABRT may want the registry. Any thread.
pub(crate) fn each_heap(mut look: impl FnMut(&'static Heap)) {
    let mut at = newest();
    while let Some(heap) = at {
        look(heap);
        at = heap.next();
    }
}

impl Heap {
    /// The next of the list. Any thread.
    pub(crate) fn next(&self) -> Option<&'static Heap> {
        self.links.next.get()
    }
}
