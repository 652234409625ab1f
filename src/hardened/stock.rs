//! `Stock`: some free blocks of one class, of the newest of which allocation takes any.
#![forbid(unsafe_code)]

use super::claim::Claim;
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

/// Of so many bytes of blocks, the newest, the next one is chosen, small ones up to a line and larger ones. Blocks are mostly used in the order in which
/// they were handed out, and what the processor fetches ahead follows them in either direction, but not much further than this: to walk
/// 64 MiB of blocks of 64 bytes takes 2 ns a block in their own order, 10 where each is one of 16, 88 where it is one of 126; of 128 bytes 12, 38 whichever
/// of 2 to 64 it is, 131; of 512 bytes and more chance has its full price at once.
const NEAR: usize = 1 << 10;
const NEAR_LONG: usize = 8 << 10;
const LINE: usize = 64;
/// Fewest that are chosen from, if there are as many: the more cost nothing.
const CHOICE: usize = 32;

/// # Invariants
/// - K1: `blocks[..len]` are blocks of the stock's class and heap that the program does not hold; `len <= MOST`.
/// - K2: `claim`, if there is one and `next < len`, is that of `blocks[next]`.
#[repr(C)]
pub(super) struct Stock {
    len: u32,
    /// The place of the block that goes out next, chosen when the last one went, so that its memory is at hand by then.
    next: u32,
    /// What was found meanwhile to be that block's claim.
    claim: Option<Claim>,
    blocks: [Addr; MOST],
}

/// How many blocks a stock of each class holds when it is full, and of how many one is chosen. A table: a division would cost as much as the choice.
static SIZES: [(u8, u8); CLASSES] = {
    let mut sizes = [(0, 0); CLASSES];
    let mut class = 0;
    while class < CLASSES {
        let size = BLOCK_SIZE[class] as usize;
        let full = within(BYTES / size, FEWEST, MOST);
        let near = if size <= LINE { NEAR / size } else { within(NEAR_LONG / size, CHOICE, MOST) };
        sizes[class] = (full as u8, within(near, FEWEST, full) as u8);
        class += 1;
    }
    sizes
};

const fn within(count: usize, fewest: usize, most: usize) -> usize {
    if count < fewest {
        fewest
    } else if count > most {
        most
    } else {
        count
    }
}

/// How many blocks of `class` a stock holds when it is full.
#[inline]
pub(super) fn capacity(class: ClassId) -> usize {
    SIZES.get(class.index()).map_or(FEWEST, |&(full, _)| full as usize)
}

/// Of how many of its newest one is chosen.
#[inline]
fn choice(class: ClassId) -> usize {
    SIZES.get(class.index()).map_or(FEWEST, |&(_, near)| near as usize)
}

/// The place of any of the `near` newest of `len`.
#[inline(always)]
fn any(len: usize, near: usize, random: &mut Random) -> usize {
    let near = near.min(len);
    len - near + random.below(near)
}

impl Stock {
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    /// Takes out any of the newest blocks of `class`, and shows `soon` the one that is likely to go out after it, which says that one's claim.
    /// With the block comes what was said of it, if it was asked.
    #[inline(always)]
    pub(super) fn take(
        &mut self,
        class: ClassId,
        random: &mut Random,
        soon: impl FnOnce(Addr) -> Option<Claim>,
    ) -> Option<(Block, Option<Claim>)> {
        let last = self.len().checked_sub(1)?;
        let near = choice(class);
        // Chosen among those that there were: those that came since wait for their turn.
        let (chosen, claim) = match self.next {
            next if next < self.len => (next as usize, self.claim),
            _ => (any(self.len(), near, random), None),
        };
        let block = *self.blocks.get(chosen)?;
        let moved = *self.blocks.get(last)?;
        *self.blocks.get_mut(chosen)? = moved;
        self.len = last as u32;
        let next = any(last, near, random);
        self.next = next as u32;
        // Of the last one there is no next: what is put in its place later is another block.
        self.claim = self.blocks.get(..last)?.get(next).and_then(|&next| soon(next));
        Some((Block::at(block), claim))
    }

    /// Puts a block in. `false`: full.
    #[inline]
    pub(super) fn put(&mut self, block: Addr, capacity: usize) -> bool {
        if self.len() >= capacity {
            return false;
        }
        let Some(slot) = self.blocks.get_mut(self.len as usize) else { return false };
        *slot = block;
        self.len += 1;
        true
    }

    /// Has `refill` fill what is missing to `capacity`.
    pub(super) fn fill(&mut self, capacity: usize, refill: impl FnOnce(&mut Tray<'_>)) {
        let Some(room) = self.blocks.get_mut(self.len as usize..capacity) else { return };
        let mut room = Tray::over(room);
        refill(&mut room);
        self.len += room.settle() as u32;
        // Any of the new ones may be next.
        self.forget_choice();
    }

    /// Has the next block be chosen when it is taken, and its claim be looked for.
    pub(super) fn forget_choice(&mut self) {
        self.next = MOST as u32;
    }

    /// Hands `flush` the blocks above the first `keep`, and forgets them.
    pub(super) fn empty(&mut self, keep: usize, flush: impl FnOnce(&[Addr])) {
        if let Some(rest) = self.blocks.get(keep..self.len()).filter(|rest| !rest.is_empty()) {
            flush(rest);
            self.len = keep as u32;
            // It may have been one of those, and its place becomes another's.
            self.forget_choice();
        }
    }
}

const _: () = assert!(size_of::<Stock>() == 1024, "a record of meta, all of it used");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_block_comes_out_once_in_any_order() {
        let mut stock = Stock { len: 0, next: MOST as u32, claim: None, blocks: [Addr::NULL; MOST] };
        let mut random = Random::seeded([5, 6, 7, 8]);
        let class = ClassId::from_index(0);
        stock.fill(100, |room| {
            room.put_run(Addr(1000), 1, 60);
        });
        assert!(stock.len() == 60 && stock.put(Addr(1060), 61) && !stock.put(Addr(1061), 61));
        let mut flushed = 0;
        stock.empty(40, |rest| flushed = rest.len());
        assert!(flushed == 21 && stock.len() == 40);
        let mut take = |stock: &mut Stock| {
            let mut next = Addr::NULL;
            let taken = stock.take(class, &mut random, |block| {
                next = block;
                None
            });
            taken.map(|(block, _)| (block.addr().0, next.0))
        };
        let mut seen: std::vec::Vec<_> = (0..40)
            .map_while(|_| take(&mut stock))
            .inspect(|&(block, next)| assert_ne!(block, next, "gone, and asked for its claim"))
            .map(|(block, _)| block)
            .collect();
        assert!(take(&mut stock).is_none() && seen.len() == 40);
        assert!(!seen.is_sorted() && !seen.iter().rev().is_sorted());
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 40);
    }

    #[test]
    fn one_is_chosen_of_16_at_least_where_there_are_as_many_and_each_as_often() {
        for class in ClassId::all().filter(|class| !class.is_big()) {
            let (bytes, full, near) = (class.block_size(), capacity(class), choice(class));
            assert!(near >= full.min(16) && near <= full && (bytes > LINE || near * bytes <= NEAR), "{bytes}");
            let mut stock = Stock { len: 0, next: MOST as u32, claim: None, blocks: [Addr::NULL; MOST] };
            let mut random = Random::seeded([bytes as u64, 2, 3, 4]);
            let mut taken = [0; MOST];
            for _ in 0..full * 200 {
                stock.fill(full, |room| {
                    room.put_run(Addr(0), 1, room.room());
                });
                // What is filled in comes on top, as what was taken did lie there.
                stock.blocks.iter_mut().take(full).enumerate().for_each(|(place, block)| *block = Addr(place));
                taken[stock.take(class, &mut random, |_| None).map_or(0, |(block, _)| block.addr().0)] += 1;
            }
            let (below, newest) = taken.split_at(full - near);
            let (newest, above) = newest.split_at(near);
            let mean = full * 200 / near;
            assert!(below.iter().chain(above).all(|&count| count == 0), "{bytes}");
            assert!(newest.iter().all(|&count| count > mean / 2 && count < mean * 2), "{bytes}: {newest:?}");
        }
    }
}
