//! Blocks lent to a counted thread: the second bins of small classes hold a few at a time, of which it is known that none is to be sampled.
//! They are hits like any other; the thread comes to the slow path once for all of them, and for its frees.
//!
//! A class has a count of its own until its next sample, in blocks. That every byte has the same chance, apart from all others, holds for
//! each class alone as for all together. What is lent is counted, and what comes back is counted no more.
//!
//! | second bin   | how                                                                 |
//! |--------------|---------------------------------------------------------------------|
//! | `cur > base` | the next mallocs of the class take from it, past all that counts    |
//! | `cur == base`| `lend`: fills it from the class's own bin, or says that one is to be sampled |
//! | any          | `take_back`: of a thread that gives up all it holds                 |
//!
//! Nothing is ever pushed there: a free finds no tag that goes with a marked word.

use super::bin::Popped;
use super::last_pages::ENTRIES;
use super::state::{Heap, OwnHeap};
use crate::base::block::Block;
use crate::class::{ClassId, TINY_CLASSES};
use crate::profile;

/// What `lend` found.
pub(crate) enum Lend {
    Block(Block),
    /// The next block of the class is to be sampled.
    Sample,
    /// The class's own bin has none either. Nothing was counted.
    Nothing,
}

impl OwnHeap {
    /// A block of a tiny `class` whose second bin is empty, and the next few in that bin.
    #[cold]
    #[inline(never)]
    pub(crate) fn lend(self, class: ClassId) -> Lend {
        let lent = &self.metered().lent;
        let left = lent.left(class);
        if left.get() == 0 {
            let Some(blocks) = self.meter().draw_blocks(class.block_size()) else { return Lend::Nothing };
            left.set(blocks.saturating_add(1));
        }
        if left.get() == 1 {
            left.set(0);
            return Lend::Sample;
        }
        let want = ENTRIES.min(left.get() as usize - 1);
        // SAFETY: the array is the class's, of so many entries, and its second bin, the only one to use it, is empty (caller).
        let got = unsafe { self.bin(class).lend(self.second_bin(class), lent.array(class), want) };
        left.set(left.get() - got as u32);
        match self.second_bin(class).pop() {
            Popped::Block(block) => Lend::Block(block),
            Popped::Empty => Lend::Nothing,
        }
    }

    /// Gives what is lent back to the spans.
    pub(super) fn take_back(self) {
        if !profile::was_on() {
            return;
        }
        for class in ClassId::all().take(TINY_CLASSES) {
            let bin = self.second_bin(class);
            // SAFETY: nothing below `flush` touches this bin.
            let blocks = unsafe { bin.oldest(ENTRIES) };
            if !blocks.is_empty() {
                self.flush_measured(class, blocks);
                let left = self.metered().lent.left(class);
                left.set(left.get() + blocks.len() as u32);
            }
            bin.close(false);
        }
    }

    /// In a child of fork, of a heap whose thread is not there: its blocks are given up.
    pub(super) fn forget_lent(self) {
        if profile::was_on() {
            ClassId::all().take(TINY_CLASSES).for_each(|class| self.second_bin(class).close(false));
        }
    }
}

impl Heap {
    /// Blocks of a class in magazines and lent. Any thread, for a figure that need not be exact.
    pub(crate) fn cached(&self, class: ClassId) -> usize {
        self.magazined(class) + if profile::was_on() { self.lent_out(class) } else { 0 }
    }
}
