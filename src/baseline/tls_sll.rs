//! TLS SLL: an unbounded list of free blocks, each holding in its first word where the next one is.
//!
//! A link is xored with a hash of its place that nobody outside can compute (`canary`): what a program wrote into a freed block leads nowhere,
//! and is told before anybody gets what it says.

use core::cell::Cell;

use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::canary;
use crate::class::ClassId;
use crate::heap::OwnHeap;
use crate::os::{Defect, die_sized};
use crate::page_map::{self, Tag};

/// # Invariants
/// - T1: `head` starts a chain of `len` free blocks of one class and heap, ended by null.
pub(super) struct TlsSll {
    head: Cell<Addr>,
    len: Cell<usize>,
}

/// Reads the link at `block`.
///
/// # Safety
/// A block of at least 16 bytes that the list holds.
unsafe fn next(block: Addr) -> Addr {
    // SAFETY: the caller's.
    let link = unsafe { *block.as_ptr::<u64>() };
    Addr((link ^ canary::hash(block)) as usize)
}

impl TlsSll {
    pub(super) fn len(&self) -> usize {
        self.len.get()
    }

    pub(super) fn newest(&self) -> Option<Addr> {
        let head = self.head.get();
        (!head.is_null()).then_some(head)
    }

    #[cfg(feature = "paranoid")]
    pub(super) fn each(&self, mut look: impl FnMut(Addr)) {
        let mut at = self.head.get();
        while !at.is_null() {
            look(at);
            // SAFETY: T1, as far as `look` has not ended the process.
            at = unsafe { next(at) };
        }
    }

    pub(super) fn push(&self, block: Addr) {
        // SAFETY: a free block of at least 16 bytes that this list now owns.
        unsafe { *block.as_ptr::<u64>() = self.head.get().0 as u64 ^ canary::hash(block) };
        self.head.set(block);
        self.len.set(self.len.get() + 1);
    }

    /// Takes the newest block off the list, which is that of `heap` and `class`; if its link is none the process ends, and `what` is said.
    #[inline(never)] // its registers are not to be saved by who goes on to a refill
    pub(super) fn pop(&self, heap: OwnHeap, class: ClassId, what: Defect) -> Option<Block> {
        let block = self.newest()?;
        // SAFETY: T1.
        let next = unsafe { next(block) };
        let left = self.len.get() - 1;
        // By T1 the one that is left leads to null, and all others to such a block.
        let tag = Tag::of_span(heap.addr(), class.index());
        let leads = if left == 0 { next.is_null() } else { next.is_aligned(16) && page_map::tag(next) == tag };
        if !leads {
            die_sized(what, class.block_size(), block);
        }
        self.head.set(next);
        self.len.set(left);
        Some(Block::at(block))
    }
}
