//! `Level`: an amount that rises and falls, and the most it ever was. `InUse`: one that two boxes have a part in.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use super::counter::Counter;
use crate::base::addr::{GRANULE, GRANULE_SHIFT};

pub(crate) struct Level {
    now: AtomicU64,
    peak: AtomicU64,
}

/// Bytes mapped for blocks, in SuperSlabs and large mappings.
pub(crate) static MAPPED: Level = Level::new();
/// Of these, bytes of slots and large mappings that somebody holds.
pub(crate) static IN_USE: InUse = InUse::new();
/// Bytes of all blocks that are free in spans, but for what each of the `HEAPS` has not told yet, `UNTOLD` at most.
pub(crate) static FREE: Counter = Counter::new();
/// Likewise bytes of spans' pages that were purged, or never used.
pub(crate) static GONE: Counter = Counter::new();
pub(crate) static HEAPS: Counter = Counter::new();
pub(crate) const UNTOLD: usize = 256 << 10;

/// Bytes of spans that are not resident, no fewer than there are.
pub(crate) fn most_gone() -> u64 {
    GONE.get() + HEAPS.get() * UNTOLD as u64
}

// Relaxed, all: a statistic orders nothing.

impl Level {
    const fn new() -> Level {
        Level { now: AtomicU64::new(0), peak: AtomicU64::new(0) }
    }

    pub(crate) fn add(&self, n: u64) {
        self.reach(self.now.fetch_add(n, Ordering::Relaxed) + n);
    }

    pub(crate) fn sub(&self, n: u64) {
        self.now.fetch_sub(n, Ordering::Relaxed);
    }

    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    fn reach(&self, now: u64) {
        if now > self.peak.load(Ordering::Relaxed) {
            self.peak.fetch_max(now, Ordering::Relaxed);
        }
    }
}

/// What somebody holds: slots of the pool, and large mappings.
///
/// The mappings are one word, so that a block taken and given back costs one addition each: their number in the upper half,
/// their granules in the lower one. The address space has 2^31 of either.
pub(crate) struct InUse {
    slots: Level,
    mappings: AtomicU64,
}

const ONE: u64 = 1 << 32;

const fn granules(bytes: usize) -> u64 {
    (bytes / GRANULE) as u64
}

/// Bytes of the mappings that `word` counts.
const fn bytes(word: u64) -> u64 {
    (word & (ONE - 1)) << GRANULE_SHIFT
}

impl InUse {
    const fn new() -> InUse {
        InUse { slots: Level::new(), mappings: AtomicU64::new(0) }
    }

    /// Where the word of the mappings is.
    pub(crate) const fn mappings_at(&'static self) -> *const AtomicU64 {
        &raw const self.mappings
    }

    /// Counts slots of so many bytes in.
    pub(crate) fn add_slots(&self, n: u64) {
        let slots = self.slots.now.fetch_add(n, Ordering::Relaxed) + n;
        self.slots.reach(slots + self.mapped_bytes());
    }

    pub(crate) fn sub_slots(&self, n: u64) {
        self.slots.sub(n);
    }

    /// Counts a mapping in, of whole granules.
    #[inline]
    pub(crate) fn add_mapping(&self, len: usize) {
        self.raise(ONE | granules(len));
    }

    #[inline]
    pub(crate) fn sub_mapping(&self, len: usize) {
        self.mappings.fetch_sub(ONE | granules(len), Ordering::Relaxed);
    }

    /// Counts a mapping as `len` bytes that was counted as `old`.
    pub(crate) fn resize_mapping(&self, old: usize, len: usize) {
        if len >= old {
            self.raise(granules(len - old));
        } else {
            self.mappings.fetch_sub(granules(old - len), Ordering::Relaxed);
        }
    }

    #[inline]
    fn raise(&self, n: u64) {
        let mappings = self.mappings.fetch_add(n, Ordering::Relaxed) + n;
        self.slots.reach(self.slots.now.load(Ordering::Relaxed) + bytes(mappings));
    }

    /// Bytes of slots.
    pub(crate) fn slots_bytes(&self) -> u64 {
        self.slots.now.load(Ordering::Relaxed)
    }

    /// Bytes of mappings.
    pub(crate) fn mapped_bytes(&self) -> u64 {
        bytes(self.mappings.load(Ordering::Relaxed))
    }

    /// Number of mappings.
    pub(crate) fn mappings(&self) -> u64 {
        self.mappings.load(Ordering::Relaxed) / ONE
    }

    /// The most bytes that were in use at once, of both kinds together.
    pub(crate) fn peak(&self) -> u64 {
        self.slots.peak()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_the_highest_sum_and_stays() {
        let level = Level::new();
        for (add, sub, peak) in [(5, 3, 5), (1, 0, 5), (4, 7, 7), (6, 0, 7), (2, 0, 8)] {
            level.add(add);
            level.sub(sub);
            assert_eq!(level.peak(), peak);
        }
    }

    #[test]
    fn slots_and_mappings_have_one_peak() {
        const G: u64 = GRANULE as u64;
        let used = InUse::new();
        used.add_slots(3 * G);
        used.add_mapping(5 * GRANULE);
        used.add_mapping(7 * GRANULE);
        used.resize_mapping(5 * GRANULE, 2 * GRANULE);
        used.sub_slots(2 * G);
        assert_eq!((used.mappings(), used.mapped_bytes(), used.peak()), (2, 9 * G, 15 * G));
        used.resize_mapping(2 * GRANULE, 6 * GRANULE);
        assert_eq!(used.peak(), 15 * G);
        used.add_slots(4 * G);
        assert_eq!(used.peak(), 18 * G);
        used.sub_mapping(6 * GRANULE);
        used.sub_mapping(7 * GRANULE);
        assert_eq!((used.mappings(), used.mapped_bytes(), used.peak()), (0, 0, 18 * G));
    }
}
