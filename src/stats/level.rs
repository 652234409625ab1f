//! `Level`: an amount that rises and falls, and the most it ever was.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

pub(crate) struct Level {
    now: AtomicU64,
    peak: AtomicU64,
}

/// Bytes mapped for blocks, in SuperSlabs and large mappings.
pub(crate) static MAPPED: Level = Level::new();
/// Of these, bytes of slots and large mappings that somebody holds.
pub(crate) static ACTIVE: Level = Level::new();

impl Level {
    const fn new() -> Level {
        Level { now: AtomicU64::new(0), peak: AtomicU64::new(0) }
    }

    pub(crate) fn add(&self, n: u64) {
        // Relaxed, here and below: a statistic orders nothing.
        let now = self.now.fetch_add(n, Ordering::Relaxed) + n;
        if now > self.peak.load(Ordering::Relaxed) {
            self.peak.fetch_max(now, Ordering::Relaxed);
        }
    }

    pub(crate) fn sub(&self, n: u64) {
        self.now.fetch_sub(n, Ordering::Relaxed);
    }

    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
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
}
