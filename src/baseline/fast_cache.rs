//! FastCache: a short array of blocks, one for each class.
#![forbid(unsafe_code)]

use core::cell::Cell;

use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::base::tray::Tray;

/// Half of it lies on the stack while it is filled or flushed, and a call takes 1 KiB of that at most.
const CAP: usize = 16;

/// # Invariants
/// - F1: `len <= CAP`, and `blocks[..len]` are free blocks, newest last.
pub(super) struct FastCache {
    len: Cell<usize>,
    blocks: [Cell<Addr>; CAP],
}

impl FastCache {
    pub(super) fn len(&self) -> usize {
        self.len.get()
    }

    pub(super) fn pop(&self) -> Option<Block> {
        let top = self.len.get().checked_sub(1)?;
        self.len.set(top);
        self.blocks.get(top).map(|slot| Block::at(slot.get()))
    }

    pub(super) fn newest(&self) -> Option<Addr> {
        self.blocks.get(self.len.get().checked_sub(1)?).map(Cell::get)
    }

    /// Keeps `block` if there is room.
    pub(super) fn push(&self, block: Addr) -> bool {
        let len = self.len.get();
        let Some(slot) = self.blocks.get(len) else { return false };
        slot.set(block);
        self.len.set(len + 1);
        true
    }

    #[cfg(feature = "paranoid")]
    pub(super) fn each(&self, look: impl FnMut(Addr)) {
        self.blocks.iter().take(self.len.get()).map(Cell::get).for_each(look);
    }

    /// Has `fill` fill an empty cache halfway.
    pub(super) fn refill(&self, fill: impl FnOnce(&mut Tray<'_>)) {
        debug_assert!(self.len.get() == 0);
        let mut blocks = [Addr::NULL; CAP / 2];
        let mut room = Tray::over(&mut blocks);
        fill(&mut room);
        for &block in room.blocks() {
            self.push(block);
        }
    }

    /// Gives the older half back.
    pub(super) fn flush_half(&self, give: impl FnOnce(&[Addr])) {
        let mut half = [Addr::NULL; CAP / 2];
        let count = self.len.get() / 2;
        for (slot, block) in half.iter_mut().zip(&self.blocks).take(count) {
            *slot = block.get();
        }
        give(half.get(..count).unwrap_or_default());
        for (to, from) in self.blocks.iter().zip(self.blocks.iter().skip(count)) {
            to.set(from.get());
        }
        self.len.set(self.len.get() - count);
    }

    /// Gives everything back.
    pub(super) fn flush_all(&self, mut give: impl FnMut(&[Addr])) {
        while self.len.get() > 1 {
            self.flush_half(&mut give);
        }
        if let Some(last) = self.pop() {
            give(&[last.addr()]);
        }
    }
}
