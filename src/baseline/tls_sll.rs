//! TLS SLL: an unbounded list of free blocks, each holding the address of the next in its first word.

use core::cell::Cell;

use crate::base::addr::Addr;

/// # Invariants
/// - T1: `head` starts a chain of `len` free blocks of one class, ended by null.
pub(super) struct TlsSll {
    head: Cell<Addr>,
    len: Cell<usize>,
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
            at = unsafe { *at.as_ptr::<Addr>() };
        }
    }

    pub(super) fn push(&self, block: Addr) {
        // SAFETY: a free block of at least 16 bytes that this list now owns.
        unsafe { *block.as_ptr::<Addr>() = self.head.get() };
        self.head.set(block);
        self.len.set(self.len.get() + 1);
    }

    pub(super) fn pop(&self) -> Option<Addr> {
        let block = self.newest()?;
        // SAFETY: T1. A program that wrote into the freed block has broken the chain: intrusive by definition.
        self.head.set(unsafe { *block.as_ptr::<Addr>() });
        self.len.set(self.len.get() - 1);
        Some(block)
    }
}
