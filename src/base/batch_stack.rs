//! `BatchStack`: many threads push nodes, one taker at a time takes them all. No ABA: nothing is popped singly.

use super::sync::{AtomicPtr, Ordering};

/// A node that can lie on a `BatchStack`.
///
/// # Safety
/// `next` must be a plain field of `self` that nobody but the stack writes while the node is on it.
pub(crate) unsafe trait Node: Sized {
    fn next(&self) -> &AtomicPtr<Self>;
}

pub(crate) struct BatchStack<N> {
    head: AtomicPtr<N>,
}

impl<N: Node> BatchStack<N> {
    pub(crate) const fn new() -> Self {
        BatchStack { head: AtomicPtr::new(core::ptr::null_mut()) }
    }

    /// Hands `node` over to whoever takes next.
    ///
    /// # Safety
    /// `node` is valid, owned by the caller, and stays valid until taken.
    pub(crate) unsafe fn push(&self, node: *mut N) {
        // Relaxed: the seen head is only compared and stored.
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            // SAFETY: the caller owns `node`.
            let next = unsafe { (*node).next() };
            // Relaxed: published by the Release below.
            next.store(head, Ordering::Relaxed);
            // Release pairs with the Acquire in `take_all`: the taker sees the node's contents and its link.
            match self.head.compare_exchange_weak(head, node, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(seen) => head = seen,
            }
        }
    }

    /// Whether there is none, for a moment.
    pub(crate) fn is_empty(&self) -> bool {
        // Relaxed: a look.
        self.head.load(Ordering::Relaxed).is_null()
    }

    /// Takes every node, newest first, linked by `next`; null when there are none.
    pub(crate) fn take_all(&self) -> *mut N {
        // Relaxed: an empty look publishes and reads nothing, and the next refill looks again.
        if self.is_empty() {
            return core::ptr::null_mut();
        }
        // Acquire pairs with the Release in `push`, of every node: each push's CAS continues the release sequence.
        self.head.swap(core::ptr::null_mut(), Ordering::Acquire)
    }
}
