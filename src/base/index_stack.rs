//! `IndexStack`: a lock-free LIFO of small numbers whose links live in memory that never goes away.
//!
//! The head carries a generation, so a `pop` that slept while its entry was popped and pushed again fails its CAS
//! instead of installing a stale link (ABA).
#![forbid(unsafe_code)]

use super::sync::{AtomicU32, AtomicU64, Ordering};

/// Where the entries' links are. They must stay readable for ever: a losing `pop` reads the link of an entry
/// that another thread already owns.
pub(crate) trait Links {
    fn link(&self, index: u32) -> &AtomicU32;
}

/// | bits   | meaning                                     |
/// |--------|---------------------------------------------|
/// | 0..32  | index of the top entry + 1, 0 when empty    |
/// | 32..64 | generation: + 1 at every change of the head |
pub(crate) struct IndexStack {
    head: AtomicU64,
}

const fn pack(generation: u64, top: u32) -> u64 {
    generation << 32 | top as u64
}

impl IndexStack {
    pub(crate) const fn new() -> IndexStack {
        IndexStack { head: AtomicU64::new(0) }
    }

    /// Gives entry `index`, which the caller owns, to the stack.
    pub(crate) fn push(&self, links: &impl Links, index: u32) {
        // Relaxed: the seen head is only compared and copied into the link.
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            // Relaxed: published by the Release below.
            links.link(index).store(head as u32, Ordering::Relaxed);
            let new = pack((head >> 32) + 1, index + 1);
            // Release pairs with the Acquire in `pop`: who takes this entry sees its link and its contents.
            match self.head.compare_exchange_weak(head, new, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(seen) => head = seen,
            }
        }
    }

    /// Takes the newest entry, which the caller then owns.
    pub(crate) fn pop(&self, links: &impl Links) -> Option<u32> {
        // Acquire pairs with the Release in `push`, here and on failure below: the link is read next.
        let mut head = self.head.load(Ordering::Acquire);
        loop {
            let index = (head as u32).checked_sub(1)?;
            // Relaxed: a stale link is refused by the generation in the CAS.
            let next = links.link(index).load(Ordering::Relaxed);
            let new = pack((head >> 32) + 1, next);
            match self.head.compare_exchange_weak(head, new, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return Some(index),
                Err(seen) => head = seen,
            }
        }
    }
}
