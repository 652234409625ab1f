//! `Stock`: some free blocks of one class, of which allocation takes any.
#![forbid(unsafe_code)]

use super::random::Random;
use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::base::tray::Tray;
use crate::class::{BLOCK_SIZE, CLASSES, ClassId};

/// Blocks of a stock at most: with its other fields it is a record of 1 KiB.
const MOST: usize = 126;
/// Fewest that a stock may hold, however large.
const FEWEST: usize = 4;
/// Bytes of its blocks otherwise.
const BYTES: usize = 32 << 10;

/// # Invariants
/// - K1: `blocks[..len]` are blocks of the stock's class and heap that the program does not hold; `len <= MOST`.
#[repr(C)]
pub(super) struct Stock {
    pub(super) len: usize,
    /// The place of the block that goes out next, chosen when the last one went, so that its memory is at hand by then.
    next: usize,
    blocks: [Addr; MOST],
}

/// How many blocks a stock of each class holds when it is full. A table: a division would cost as much as the choice.
static FULL: [u8; CLASSES] = {
    let mut full = [0; CLASSES];
    let mut class = 0;
    while class < CLASSES {
        let blocks = BYTES / BLOCK_SIZE[class] as usize;
        full[class] = if blocks < FEWEST {
            FEWEST as u8
        } else if blocks > MOST {
            MOST as u8
        } else {
            blocks as u8
        };
        class += 1;
    }
    full
};

#[inline]
pub(super) fn capacity(class: ClassId) -> usize {
    FULL.get(class.index()).map_or(FEWEST, |&blocks| blocks as usize)
}

impl Stock {
    /// Takes out any block, and shows `soon` the one that is likely to go out after it.
    #[inline]
    pub(super) fn take(&mut self, random: &mut Random, soon: impl FnOnce(Addr)) -> Option<Block> {
        let last = self.len.checked_sub(1)?;
        // Chosen among as many as there were: those that came since wait for their turn.
        let chosen = if self.next < self.len { self.next } else { random.below(self.len.min(MOST)) };
        let block = *self.blocks.get(chosen)?;
        let moved = *self.blocks.get(last)?;
        *self.blocks.get_mut(chosen)? = moved;
        self.len = last;
        self.next = random.below(last);
        soon(self.blocks.get(self.next).copied().unwrap_or(Addr::NULL));
        Some(Block::at(block))
    }

    /// Puts a block in. `false`: full.
    #[inline]
    pub(super) fn put(&mut self, block: Addr, capacity: usize) -> bool {
        if self.len >= capacity {
            return false;
        }
        let Some(slot) = self.blocks.get_mut(self.len) else { return false };
        *slot = block;
        self.len += 1;
        true
    }

    /// Has `refill` fill what is missing to `capacity`.
    pub(super) fn fill(&mut self, capacity: usize, refill: impl FnOnce(&mut Tray<'_>)) {
        let Some(room) = self.blocks.get_mut(self.len..capacity) else { return };
        let mut room = Tray::over(room);
        refill(&mut room);
        self.len += room.settle();
        // Any of the new ones may be next.
        self.forget_choice();
    }

    /// Has the next block be chosen when it is taken.
    pub(super) fn forget_choice(&mut self) {
        self.next = MOST;
    }

    /// Hands `flush` the blocks above the first `keep`, and forgets them.
    pub(super) fn empty(&mut self, keep: usize, flush: impl FnOnce(&[Addr])) {
        if let Some(rest) = self.blocks.get(keep..self.len).filter(|rest| !rest.is_empty()) {
            flush(rest);
            self.len = keep;
        }
    }
}

const _: () = assert!(size_of::<Stock>() == 1024, "a record of meta, all of it used");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_block_comes_out_once_in_any_order() {
        let mut stock = Stock { len: 0, next: MOST, blocks: [Addr::NULL; MOST] };
        let mut random = Random::seeded([5, 6, 7, 8]);
        stock.fill(100, |room| {
            room.put_run(Addr(1000), 1, 60);
        });
        assert!(stock.len == 60 && stock.put(Addr(1060), 61) && !stock.put(Addr(1061), 61));
        let mut flushed = 0;
        stock.empty(40, |rest| flushed = rest.len());
        assert!(flushed == 21 && stock.len == 40);
        let mut seen: std::vec::Vec<_> =
            (0..40).map_while(|_| stock.take(&mut random, |_| {})).map(|block| block.addr().0).collect();
        assert!(stock.take(&mut random, |_| {}).is_none() && seen.len() == 40);
        assert!(!seen.is_sorted() && !seen.iter().rev().is_sorted());
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 40);
    }
}
