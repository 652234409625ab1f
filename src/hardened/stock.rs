//! `Stock`: some free blocks of one class, of which allocation takes any.
#![forbid(unsafe_code)]

use super::random::Random;
use crate::base::addr::Addr;
use crate::class::ClassId;

/// Blocks of a stock at most: with its length it is a record of 1 KiB.
const MOST: usize = 127;
/// Fewest that a stock may hold, however large.
const FEWEST: usize = 4;
/// Bytes of its blocks otherwise.
const BYTES: usize = 32 << 10;

/// # Invariants
/// - K1: `blocks[..len]` are blocks of the stock's class and heap that the program does not hold; `len <= MOST`.
#[repr(C)]
pub(super) struct Stock {
    pub(super) len: usize,
    blocks: [Addr; MOST],
}

/// How many blocks a stock of `class` holds when it is full.
#[inline]
pub(super) fn capacity(class: ClassId) -> usize {
    (BYTES / class.block_size().max(1)).clamp(FEWEST, MOST)
}

impl Stock {
    /// Takes out any block.
    #[inline]
    pub(super) fn take(&mut self, random: &mut Random) -> Option<Addr> {
        let chosen = random.below(self.len.min(MOST));
        let last = self.len.checked_sub(1)?;
        let block = *self.blocks.get(chosen)?;
        let moved = *self.blocks.get(last)?;
        *self.blocks.get_mut(chosen)? = moved;
        self.len = last;
        Some(block)
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

    /// Has `refill` fill what is missing to `capacity`; it fills the last entries of what it gets and says how many.
    pub(super) fn fill(&mut self, capacity: usize, refill: impl FnOnce(&mut [Addr]) -> usize) {
        let Some(room) = self.blocks.get_mut(self.len..capacity) else { return };
        let asked = room.len();
        let got = refill(room).min(asked);
        room.copy_within(asked - got.., 0);
        self.len += got;
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
        let mut stock = Stock { len: 0, blocks: [Addr::NULL; MOST] };
        let mut random = Random::seeded([5, 6, 7, 8]);
        stock.fill(100, |room| {
            let got = 60;
            for (n, slot) in room.iter_mut().rev().take(got).enumerate() {
                *slot = Addr(1000 + n);
            }
            got
        });
        assert!(stock.len == 60 && stock.put(Addr(1060), 61) && !stock.put(Addr(1061), 61));
        let mut flushed = 0;
        stock.empty(40, |rest| flushed = rest.len());
        assert!(flushed == 21 && stock.len == 40);
        let mut seen: std::vec::Vec<_> = (0..40).map_while(|_| stock.take(&mut random)).map(|block| block.0).collect();
        assert!(stock.take(&mut random).is_none() && seen.len() == 40);
        assert!(!seen.is_sorted() && !seen.iter().rev().is_sorted());
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 40);
    }
}
