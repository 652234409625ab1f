//! Filling and emptying a bin from the spans behind it: what happens when `pop` or `push` says no.

use super::bin::{Popped, Pushed};
use super::state::OwnHeap;
use super::tide::Tide;
use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::class::ClassId;

/// Refills and flushes move half of a magazine, so that neither a run of mallocs nor one of frees finds it at its end.
const fn half(capacity: usize) -> usize {
    capacity.div_ceil(2)
}

impl OwnHeap {
    /// A block of `class`, whether its magazine is empty or was not asked. `None`: out of memory.
    pub(crate) fn pop_slow(self, class: ClassId) -> Option<Block> {
        let bin = self.bin(class);
        // Strict modes come here for aligned blocks without a look at the magazine: refilled when full, it would only
        // ever take spans.
        if let Popped::Block(block) = bin.pop() {
            return Some(block);
        }
        self.grow(class);
        if bin.capacity() == 0 {
            return self.alloc_direct(class);
        }
        // SAFETY: we are the heap's user, and nothing below `refill` touches this bin.
        let got = unsafe { bin.fill(half(bin.capacity()), |room| self.refill(class, room)) };
        self.learn(class, got as i32);
        match bin.pop() {
            Popped::Block(block) => Some(block),
            Popped::Empty => None,
        }
    }

    /// `pop_slow` of a big class, and whether all of the block is known to read as zero.
    pub(crate) fn pop_fresh(self, class: ClassId) -> Option<(Block, bool)> {
        if let Popped::Block(block) = self.bin(class).pop() {
            return Some((block, false));
        }
        self.grow(class);
        // One at a time: of what lies in a magazine nobody knows what it holds.
        let fresh = self.alloc_fresh(class)?;
        self.learn(class, 1);
        Some(fresh)
    }

    /// Keeps a freed block of this heap when its magazine is full.
    pub(crate) fn push_slow(self, class: ClassId, block: Addr) -> Pushed {
        self.tick();
        let bin = self.bin(class);
        // Here already: of a magazine of one entry nothing is left to compare once it was flushed.
        if bin.holds_last(block) {
            return Pushed::Twice;
        }
        if bin.capacity() == 0 && (class.is_big() || self.is_low().get()) {
            self.note_freed(class);
            self.look_for_ebb(self.flush_measured(class, &[block]));
            return Pushed::Kept;
        }
        if !self.grow(class) {
            if bin.capacity() == 0 {
                self.free_direct(block);
                return Pushed::Kept;
            }
            let count = half(bin.capacity());
            let tide = self.flush_oldest(class, count);
            self.learn(class, -(count as i32));
            if let Some(tide) = tide {
                self.look_for_ebb(tide);
            }
            if bin.capacity() == 0 {
                self.free_direct(block);
                return Pushed::Kept;
            }
        }
        bin.push(block)
    }

    /// Gives the oldest `count` blocks of a magazine back to their spans. Says what is left, if there were any.
    pub(super) fn flush_oldest(self, class: ClassId, count: usize) -> Option<Tide> {
        let bin = self.bin(class);
        // SAFETY: we are the heap's user, and nothing below `flush` touches this bin.
        let blocks = unsafe { bin.oldest(count) };
        if blocks.is_empty() {
            return None;
        }
        let tide = self.flush_measured(class, blocks);
        bin.forget_oldest(blocks.len());
        Some(tide)
    }

    /// Empties every magazine and sends every open batch.
    #[inline(always)]
    pub(crate) fn flush_all(self) {
        self.give_up(true);
    }

    /// Sends every open batch, and empties `magazines`, too.
    ///
    /// Apart: what it needs of the stack the baseline's flush, the deepest there is, would stand on.
    #[inline(never)]
    pub(super) fn give_up(self, magazines: bool) {
        self.take_back();
        if magazines {
            for class in ClassId::all() {
                self.flush_oldest(class, usize::MAX);
            }
        }
        self.send_all();
    }
}
