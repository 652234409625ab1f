//! `Counter`: a number that many threads add to, or that one adds to and others read.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) const fn new() -> Counter {
        Counter(AtomicU64::new(0))
    }

    /// Adds from any thread. Nothing, which it often is, costs no turn at the line.
    #[inline]
    pub(crate) fn add(&self, n: u64) {
        if n > 0 {
            // Relaxed: a statistic orders nothing.
            self.0.fetch_add(n, Ordering::Relaxed);
        }
    }

    #[inline]
    pub(crate) fn sub(&self, n: u64) {
        if n > 0 {
            // Relaxed: as above.
            self.0.fetch_sub(n, Ordering::Relaxed);
        }
    }

    /// Adds where only one thread at a time can: no locked instruction.
    pub(crate) fn add_owned(&self, n: u64) {
        // Relaxed: as above.
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        // Relaxed: as above.
        self.0.load(Ordering::Relaxed)
    }
}
