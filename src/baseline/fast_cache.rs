//! FastCache: a short array of blocks, one for each class.

use core::cell::{Cell, UnsafeCell};

use crate::base::addr::Addr;

const CAP: usize = 32;

/// # Invariants
/// - F1: `len <= CAP`, and `blocks[..len]` are free blocks, newest last.
pub(super) struct FastCache {
    len: Cell<usize>,
    blocks: UnsafeCell<[Addr; CAP]>,
}

impl FastCache {
    pub(super) fn len(&self) -> usize {
        self.len.get()
    }

    pub(super) fn pop(&self) -> Option<Addr> {
        let top = self.len.get().checked_sub(1)?;
        self.len.set(top);
        self.blocks().get(top).copied()
    }

    pub(super) fn newest(&self) -> Option<Addr> {
        self.blocks().get(self.len.get().checked_sub(1)?).copied()
    }

    /// Keeps `block` if there is room.
    pub(super) fn push(&self, block: Addr) -> bool {
        let len = self.len.get();
        // SAFETY: no reference from `blocks` or `room` lives across calls: all of them end in this file's functions.
        let Some(slot) = unsafe { &mut *self.blocks.get() }.get_mut(len) else { return false };
        *slot = block;
        self.len.set(len + 1);
        true
    }

    /// Fills an empty cache halfway: `fill` fills the last entries of what it is given.
    pub(super) fn refill(&self, fill: impl FnOnce(&mut [Addr]) -> usize) {
        debug_assert!(self.len.get() == 0);
        // SAFETY: as in `push`; `fill` goes down to the heap, which does not know this cache.
        let blocks = unsafe { &mut *self.blocks.get() };
        let room = blocks.get_mut(..CAP / 2).unwrap_or_default();
        let got = fill(room);
        room.rotate_right(got);
        self.len.set(got);
    }

    /// Gives the older half back.
    pub(super) fn flush_half(&self, give: impl FnOnce(&[Addr])) {
        let half = self.len.get() / 2;
        give(self.blocks().get(..half).unwrap_or_default());
        // SAFETY: as in `push`.
        unsafe { &mut *self.blocks.get() }.rotate_left(half);
        self.len.set(self.len.get() - half);
    }

    pub(super) fn flush_all(&self, give: impl FnOnce(&[Addr])) {
        let len = self.len.replace(0);
        if len > 0 {
            give(self.blocks().get(..len).unwrap_or_default());
        }
    }

    fn blocks(&self) -> &[Addr; CAP] {
        // SAFETY: only the heap's thread gets here, and no `&mut` from `push` lives across calls.
        unsafe { &*self.blocks.get() }
    }
}
