//! `Tray`: room for free blocks that one box hands to the next, who gives some. Filled from its end down, so that what is read as a stack pops in the
//! order in which it was put in.
#![forbid(unsafe_code)]

use super::addr::Addr;
use super::block::Block;

/// # Invariants
/// - Y1: `entries[left..]` are the blocks put in, the first of them last; `floor <= left <= entries.len()`.
pub(crate) struct Tray<'a> {
    entries: &'a mut [Addr],
    left: usize,
    /// Entries that stay free whatever comes.
    floor: usize,
}

impl<'a> Tray<'a> {
    /// An empty one over `entries`, whatever they hold.
    #[inline(always)]
    pub(crate) fn over(entries: &'a mut [Addr]) -> Tray<'a> {
        let left = entries.len();
        Tray { entries, left, floor: 0 }
    }

    /// How many blocks it still takes.
    #[inline(always)]
    pub(crate) fn room(&self) -> usize {
        self.left - self.floor
    }

    /// How many it holds.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.left
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn is_full(&self) -> bool {
        self.room() == 0
    }

    /// Lets it take `most` blocks more at most.
    pub(crate) fn limit(&mut self, most: usize) {
        self.floor = self.floor.max(self.left.saturating_sub(most));
    }

    /// Puts in `count` blocks, each `size` bytes behind the one before; the caller knows that there is room.
    #[inline(always)]
    pub(crate) fn put_run(&mut self, first: Addr, size: usize, count: usize) {
        debug_assert!(count <= self.room());
        let mut block = first;
        let left = self.left.saturating_sub(count);
        for entry in self.entries.get_mut(left..self.left).unwrap_or_default().iter_mut().rev() {
            *entry = block;
            block = block.offset(size);
        }
        self.left = left;
    }

    /// Takes out the block that was put in last.
    pub(crate) fn take(&mut self) -> Option<Block> {
        let block = self.entries.get(self.left).copied()?;
        self.left += 1;
        Some(Block::at(block))
    }

    /// What it holds, the newest first.
    #[inline(always)]
    pub(crate) fn blocks(&self) -> &[Addr] {
        self.entries.get(self.left..).unwrap_or_default()
    }

    /// Brings what it holds into an order without a pattern, which is another one for each `seed`.
    #[inline(never)]
    pub(crate) fn scatter(&mut self, seed: u32) {
        let held = self.entries.get_mut(self.left..).unwrap_or_default();
        let mut draw = seed;
        for last in (1..held.len()).rev() {
            draw = draw.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // The upper bits: the lower ones of such a sequence repeat soon.
            let other = ((draw as u64 * (last as u64 + 1)) >> 32) as usize;
            // Both are there: without `swap`, which could panic to the compiler.
            let (Some(&one), Some(&two)) = (held.get(last), held.get(other)) else { return };
            held.get_mut(last).into_iter().for_each(|entry| *entry = two);
            held.get_mut(other).into_iter().for_each(|entry| *entry = one);
        }
    }

    /// Moves what it holds to the first entries, where its owner wants it, and says how many that is.
    #[inline(always)]
    pub(crate) fn settle(self) -> usize {
        let len = self.len();
        if self.left > 0 && len > 0 {
            // Y1, once more: so that the compiler sees that it can't fail.
            self.entries.copy_within(self.left.min(self.entries.len()).., 0);
        }
        len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_first_pops_first_and_settles_at_the_start() {
        let mut entries = [Addr::NULL; 8];
        let mut tray = Tray::over(&mut entries);
        tray.limit(5);
        assert!(tray.room() == 5 && tray.is_empty() && tray.blocks().is_empty());
        tray.put_run(Addr(100), 10, 2);
        tray.put_run(Addr(40), 20, 3);
        assert!(tray.is_full() && tray.len() == 5);
        tray.limit(3);
        assert!(tray.is_full());
        tray.put_run(Addr(7), 0, 0);
        let wanted = [80, 60, 40, 110, 100].map(Addr);
        assert!(tray.blocks() == wanted && tray.settle() == 5);
        assert!(entries.get(..5) == Some(&wanted[..]));
        assert_eq!(Tray::over(&mut []).settle(), 0);
    }

    #[test]
    fn what_is_scattered_is_all_there_in_no_order() {
        let mut entries = [Addr::NULL; 200];
        let mut tray = Tray::over(&mut entries);
        tray.put_run(Addr(1000), 10, 190);
        tray.scatter(7);
        let strides = tray.blocks().windows(2).filter(|pair| pair[0].0.abs_diff(pair[1].0) <= 20).count();
        assert!(strides < 20, "{strides} of 189 neighbours lie side by side");
        let mut left: std::vec::Vec<_> = tray.blocks().iter().map(|block| block.0).collect();
        left.sort_unstable();
        assert!(left == (0..190).map(|at| 1000 + 10 * at).collect::<std::vec::Vec<_>>());
        Tray::over(&mut []).scatter(1);
    }
}
