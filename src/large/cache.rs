//! The cache of freed mappings: ranges of addresses, joined when they touch and cut to size when taken.
//! Bounded in number and bytes; best fit; the oldest goes back to the kernel first.
#![forbid(unsafe_code)]

#[cfg(feature = "paranoid")]
#[path = "check.rs"]
mod check;

use crate::base::addr::{Addr, GRANULE};
use crate::page_map;

/// Ranges kept at most. A look-up scans them all: some hundred nanoseconds, where a fault of one page costs thousands.
const CAP: usize = 128;

/// A range of whole granules, mapped, with old bytes in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) base: Addr,
    pub(crate) bytes: usize,
}

impl Range {
    pub(super) const NONE: Range = Range { base: Addr::NULL, bytes: 0 };

    /// Has the page map forget the blocks that were there, before it goes to another.
    pub(super) fn strike_left(self) {
        page_map::strike_left(self.base, self.bytes / GRANULE);
    }

    fn end(self) -> Addr {
        self.base.offset(self.bytes)
    }

    /// Where in the range `bytes` at a multiple of `align` would start.
    fn place(self, bytes: usize, align: usize) -> Option<Addr> {
        let start = Addr(crate::base::bits::round_up(self.base.0, align)?);
        (start.since(self.base).checked_add(bytes)? <= self.bytes).then_some(start)
    }
}

/// # Invariants
/// - C1: `ranges[..len]` do not overlap or touch, and their bytes sum up to `bytes`; oldest first.
pub(crate) struct Cache {
    ranges: [Range; CAP],
    len: usize,
    bytes: usize,
}

impl Cache {
    pub(crate) const fn new() -> Cache {
        Cache { ranges: [Range::NONE; CAP], len: 0, bytes: 0 }
    }

    /// Keeps `range`, joined with what it touches. Returns one to unmap instead when there is no room for another.
    pub(crate) fn put(&mut self, range: Range) -> Option<Range> {
        debug_assert!(range.bytes > 0, "a range");
        let mut range = range;
        let mut at = 0;
        while let Some(&held) = self.ranges.get(at).filter(|_| at < self.len) {
            if held.end() == range.base || range.end() == held.base {
                self.remove(at);
                range = Range { base: held.base.min(range.base), bytes: held.bytes + range.bytes };
            } else {
                at += 1;
            }
        }
        let evicted = (self.len == CAP).then(|| self.remove(0));
        if let Some(slot) = self.ranges.get_mut(self.len) {
            *slot = range;
            self.len += 1;
            self.bytes += range.bytes;
        }
        evicted
    }

    /// The oldest range, or as much of its end as makes `want` bytes; `None` when nothing is kept.
    pub(crate) fn take_oldest(&mut self, want: usize) -> Option<Range> {
        let len = self.len;
        let oldest = self.ranges.first_mut().filter(|_| len > 0)?;
        let cut = want.div_ceil(GRANULE).saturating_mul(GRANULE);
        if cut < oldest.bytes {
            oldest.bytes -= cut;
            self.bytes -= cut;
            return Some(Range { base: oldest.end(), bytes: cut });
        }
        Some(self.remove(0))
    }

    /// `bytes` (a granule multiple) at `align` from the smallest range that holds them; what is over stays.
    pub(crate) fn take_best(&mut self, bytes: usize, align: usize) -> Option<Addr> {
        let held = self.ranges.iter().take(self.len).enumerate();
        let (best, _, start) = held
            .filter_map(|(index, range)| Some((index, range.bytes, range.place(bytes, align)?)))
            .min_by_key(|&(_, size, _)| size)?;
        let range = *self.ranges.get(best)?;
        let (head, tail) = (start.since(range.base), range.end().since(start) - bytes);
        if head > 0 && tail > 0 && self.len == CAP {
            return None;
        }
        self.bytes -= bytes;
        // What is over keeps the range's place in the order of age.
        match (head, tail, self.ranges.get_mut(best)) {
            (0, 0, _) => {
                self.bytes += bytes;
                self.remove(best);
            }
            (0, _, Some(slot)) => *slot = Range { base: start.offset(bytes), bytes: tail },
            (_, _, Some(slot)) => {
                slot.bytes = head;
                if let Some(last) = self.ranges.get_mut(self.len).filter(|_| tail > 0) {
                    *last = Range { base: start.offset(bytes), bytes: tail };
                    self.len += 1;
                }
            }
            (_, _, None) => {}
        }
        Some(start)
    }

    /// The largest range, if it has more than `least` bytes.
    pub(super) fn take_largest(&mut self, least: usize) -> Option<Range> {
        let held = self.ranges.iter().take(self.len).enumerate();
        let (index, _) = held.map(|(index, range)| (index, range.bytes)).max_by_key(|&(_, bytes)| bytes)?;
        self.ranges.get(index).filter(|range| range.bytes > least)?;
        Some(self.remove(index))
    }

    /// Whether `take_best` would find `bytes`.
    pub(super) fn holds(&self, bytes: usize) -> bool {
        self.ranges.iter().take(self.len).any(|range| range.bytes >= bytes)
    }

    /// `bytes` (a granule multiple) that start at `at`, if they are kept: the room behind a block that grows.
    pub(super) fn take_at(&mut self, at: Addr, bytes: usize) -> bool {
        let len = self.len;
        let Some(found) = self.ranges.iter().take(len).position(|range| range.base == at && range.bytes >= bytes)
        else {
            return false;
        };
        match self.ranges.get_mut(found) {
            Some(range) if range.bytes > bytes => {
                *range = Range { base: at.offset(bytes), bytes: range.bytes - bytes };
                self.bytes -= bytes;
            }
            _ => {
                self.remove(found);
            }
        }
        true
    }

    fn remove(&mut self, index: usize) -> Range {
        let removed = self.ranges.get(index).copied().unwrap_or(Range::NONE);
        let shifted = self.len.saturating_sub(index + 1);
        for at in index..index + shifted {
            let Some(&next) = self.ranges.get(at + 1) else { break };
            if let Some(slot) = self.ranges.get_mut(at) {
                *slot = next;
            }
        }
        self.len -= 1;
        self.bytes -= removed.bytes;
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: usize = 1 << 20;

    fn range(mib: usize, len: usize) -> Range {
        Range { base: Addr(mib * M), bytes: len * M }
    }

    #[test]
    fn the_best_fit_is_cut_and_the_rest_stays() {
        let mut cache = Cache::new();
        for kept in [range(100, 8), range(200, 4), range(300, 9)] {
            assert!(cache.put(kept).is_none());
        }
        assert!(cache.take_best(8 * M, GRANULE) == Some(Addr(100 * M)));
        assert!(cache.take_best(3 * M, GRANULE) == Some(Addr(200 * M)));
        assert!(cache.take_best(M, GRANULE) == Some(Addr(203 * M)), "the rest of the second");
        assert!(cache.take_best(10 * M, GRANULE).is_none());
        assert!(cache.take_best(2 * M, 8 * M) == Some(Addr(304 * M)), "head and tail stay");
        assert_eq!((cache.bytes, cache.len), (7 * M, 2));
        assert!(cache.take_best(4 * M, GRANULE) == Some(Addr(300 * M)));
        assert!(cache.take_best(3 * M, GRANULE) == Some(Addr(306 * M)));
        assert_eq!((cache.bytes, cache.len), (0, 0));
    }

    #[test]
    fn the_largest_is_taken_whole_if_it_is_large_enough() {
        let mut cache = Cache::new();
        assert!(cache.take_largest(0).is_none());
        for kept in [range(100, 8), range(200, 14), range(300, 9)] {
            cache.put(kept);
        }
        assert!(cache.take_largest(14 * M).is_none());
        assert!(cache.take_largest(13 * M) == Some(range(200, 14)) && cache.take_largest(0) == Some(range(300, 9)));
        assert_eq!((cache.bytes, cache.len), (8 * M, 1));
    }

    #[test]
    fn ranges_that_touch_are_joined() {
        let mut cache = Cache::new();
        cache.put(range(10, 2));
        cache.put(range(14, 2));
        cache.put(range(12, 2));
        assert!(!cache.take_at(Addr(12 * M), M) && !cache.take_at(Addr(10 * M), 7 * M));
        assert!(cache.take_at(Addr(10 * M), M) && cache.take_at(Addr(11 * M), 5 * M) && cache.len == 0);
        for kept in [range(14, 2), range(10, 4)] {
            cache.put(kept);
        }
        assert!(cache.len == 1 && cache.take_best(6 * M, GRANULE) == Some(Addr(10 * M)));
    }

    #[test]
    fn the_oldest_goes_first_and_the_number_is_bounded() {
        let mut cache = Cache::new();
        cache.put(range(100, 20));
        cache.put(range(200, 20));
        assert!(cache.take_oldest(8 * M) == Some(range(112, 8)));
        assert!(cache.take_oldest(usize::MAX) == Some(range(100, 12)));
        assert!(cache.take_oldest(21 * M) == Some(range(200, 20)));
        assert!(cache.take_oldest(1).is_none());
        for n in 0..2 * CAP {
            let evicted = cache.put(Range { base: Addr(n * 4 * GRANULE), bytes: GRANULE });
            assert_eq!(evicted.is_some(), n >= CAP);
        }
        assert_eq!(cache.len, CAP);
    }
}
