//! `Changed`: the numbers of SuperSlabs that got a free slot since the index last looked, each at most once.
//!
//! A release takes no lock; the index is under the pool's. So a release notes the number here, and who has the lock takes
//! the notes in before it looks anything up.
#![forbid(unsafe_code)]

use crate::base::index_stack::{IndexStack, Links};
use crate::base::sync::{AtomicU32, Ordering};

/// Where the marks of the numbers are.
pub(super) trait Marks: Links {
    /// 1 while the number is noted.
    fn mark(&self, id: u32) -> &AtomicU32;
}

pub(super) struct Changed {
    notes: IndexStack,
}

impl Changed {
    pub(super) const fn new() -> Changed {
        Changed { notes: IndexStack::new() }
    }

    /// Notes `id`, whose slots have changed before. Any thread.
    pub(super) fn note(&self, marks: &impl Marks, id: u32) {
        // Release pairs with the Acquire in `take`: if the mark is up already, who takes it down sees the change.
        if marks.mark(id).swap(1, Ordering::AcqRel) == 0 {
            self.notes.push(marks, id);
        }
    }

    /// Takes a note. What the caller then sees of its slots is as new as the last `note` that did nothing.
    pub(super) fn take(&self, marks: &impl Marks) -> Option<u32> {
        let id = self.notes.pop(marks)?;
        // Acquire pairs with the Release in `note`. Down before the look: a change from now on is noted anew.
        marks.mark(id).swap(0, Ordering::AcqRel);
        Some(id)
    }
}
