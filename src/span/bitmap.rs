//! `Bitmap`: a span's free blocks, one bit each, set when free.
#![forbid(unsafe_code)]

pub(super) struct Bitmap<'a>(pub(super) &'a mut [u64]);

/// Words for `blocks` bits.
pub(super) const fn words(blocks: u32) -> usize {
    blocks.div_ceil(64) as usize
}

impl Bitmap<'_> {
    /// Sets the bits below `count`.
    pub(super) fn set_first(&mut self, count: u32) {
        let mut left = count;
        for word in self.0.iter_mut() {
            *word = if left >= 64 { u64::MAX } else { (1 << left) - 1 };
            left = left.saturating_sub(64);
        }
    }

    /// Sets bit `index`. Says whether it was clear.
    #[inline(always)]
    pub(super) fn set(&mut self, index: u32) -> bool {
        let Some(word) = self.0.get_mut((index / 64) as usize) else { return false };
        let bit = 1 << (index % 64);
        let was_clear = *word & bit == 0;
        *word |= bit;
        was_clear
    }

    /// Sets `len` bits from `first` on, which are clear; else says which one is not.
    #[inline(always)]
    pub(super) fn set_run(&mut self, first: u32, len: u32) -> Result<(), u32> {
        let (mut bit, mut left) = (first % 64, len);
        for (at, word) in self.0.iter_mut().enumerate().skip((first / 64) as usize) {
            let here = left.min(64 - bit);
            let mask = u64::MAX >> (64 - here) << bit;
            if *word & mask != 0 {
                return Err(at as u32 * 64 + (*word & mask).trailing_zeros());
            }
            *word |= mask;
            left -= here;
            bit = 0;
            if left == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Whether the bits `from ..= to` are all set.
    pub(super) fn are_set(&self, from: u32, to: u32) -> bool {
        let (first, last) = (from / 64, to / 64);
        (first..=last).all(|at| {
            let low = if at == first { u64::MAX << (from % 64) } else { u64::MAX };
            let high = if at == last { u64::MAX >> (63 - to % 64) } else { u64::MAX };
            self.0.get(at as usize).is_some_and(|word| word & low & high == low & high)
        })
    }

    /// Sets or clears the bits `from ..= to`.
    pub(super) fn fill(&mut self, from: u32, to: u32, set: bool) {
        for at in from / 64..=to / 64 {
            let low = if at == from / 64 { u64::MAX << (from % 64) } else { u64::MAX };
            let high = if at == to / 64 { u64::MAX >> (63 - to % 64) } else { u64::MAX };
            if let Some(word) = self.0.get_mut(at as usize) {
                *word = if set { *word | low & high } else { *word & !(low & high) };
            }
        }
    }

    /// Clears up to `want` of the lowest set bits from word `hint` on and calls `run` with each run of them, ascending:
    /// first index and length. Returns how many it cleared and the first word that may still have one.
    ///
    /// By runs, because a span just acquired, or flushed in the order in which it was filled, is mostly runs.
    #[inline(always)]
    pub(super) fn take(&mut self, hint: u32, want: u32, mut run: impl FnMut(u32, u32)) -> (u32, u32) {
        let mut left = want;
        let mut at = hint;
        while let Some(word) = self.0.get_mut(at as usize) {
            let mut bits = *word;
            while bits != 0 && left > 0 {
                let start = bits.trailing_zeros();
                let len = (bits >> start).trailing_ones().min(left);
                run(at * 64 + start, len);
                bits &= !(u64::MAX >> (64 - len) << start);
                left -= len;
            }
            *word = bits;
            if left == 0 {
                break;
            }
            at += 1;
        }
        (want - left, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn take_gives_the_lowest_bits_in_order_and_set_refuses_twice() {
        let mut words = [0; 3];
        let mut map = Bitmap(&mut words);
        map.set_first(130);
        let mut seen = std::vec::Vec::new();
        assert_eq!(map.take(0, 100, |first, len| seen.extend(first..first + len)), (100, 1));
        assert!(seen.iter().copied().eq(0..100));
        assert!(map.are_set(100, 129) && map.are_set(128, 128) && !map.are_set(99, 101) && !map.are_set(0, 64));
        map.fill(63, 128, false);
        assert!(!map.are_set(100, 100) && map.are_set(129, 129));
        map.fill(100, 128, true);
        assert!(map.are_set(100, 129) && !map.are_set(99, 99));
        assert!(map.set(7) && !map.set(7) && !map.set(5000));
        seen.clear();
        assert_eq!(map.take(0, 100, |first, len| seen.extend(first..first + len)), (31, 3));
        assert!(seen.iter().copied().eq([7].into_iter().chain(100..130)));
    }

    #[test]
    fn a_run_sets_what_single_bits_would_and_names_the_one_that_is_set() {
        let (mut words, mut others) = ([0; 3], [0; 3]);
        for (first, len) in [(0, 1), (1, 63), (64, 64), (130, 62)] {
            assert!(Bitmap(&mut words).set_run(first, len) == Ok(()));
            assert!((first..first + len).all(|index| Bitmap(&mut others).set(index)));
            assert_eq!(words, others);
        }
        assert!(Bitmap(&mut words).set_run(128, 3) == Err(130) && Bitmap(&mut words).set_run(5, 2) == Err(5));
        let mut words = [0; 3];
        assert!(Bitmap(&mut words).set_run(3, 186) == Ok(()) && words == [u64::MAX << 3, u64::MAX, u64::MAX >> 3]);
        assert!(Bitmap(&mut words).set_run(0, 3) == Ok(()) && Bitmap(&mut words).set_run(189, 3) == Ok(()));
        assert_eq!(words, [u64::MAX; 3]);
    }
}
