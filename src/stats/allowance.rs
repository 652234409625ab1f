//! `Allowance`: how many bytes somebody has, and may have.
#![forbid(unsafe_code)]

use crate::base::sync::{AtomicUsize, Ordering};

pub(crate) struct Allowance {
    used: AtomicUsize,
    limit: usize,
}

// Relaxed, all: numbers that are added up and compared; what they count is handed over by other means.

impl Allowance {
    /// `limit`: `usize::MAX` is none.
    pub(crate) const fn new(limit: usize) -> Allowance {
        Allowance { used: AtomicUsize::new(0), limit }
    }

    /// Counts pieces of `size` bytes as had, `count` or as many as it allows. Says how many.
    pub(crate) fn take(&self, count: usize, size: usize) -> usize {
        if self.limit == usize::MAX {
            self.force(count * size);
            return count;
        }
        let mut got = 0;
        let more = |used: usize| {
            got = count.min(self.limit.saturating_sub(used) / size.max(1));
            (got > 0).then_some(used + got * size)
        };
        match self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => got,
            Err(_) => 0,
        }
    }

    /// Whether `bytes` more are allowed.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.limit.saturating_sub(self.used()) >= bytes
    }

    /// Counts what was had without asking.
    pub(crate) fn force(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn give(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_had_than_is_allowed() {
        let allowance = Allowance::new(1000);
        assert_eq!((allowance.take(3, 300), allowance.take(3, 300), allowance.used()), (3, 0, 900));
        assert_eq!((allowance.take(9, 30), allowance.used()), (3, 990));
        allowance.give(90);
        allowance.force(200);
        assert_eq!((allowance.take(1, 1), allowance.used()), (0, 1100));
        let endless = Allowance::new(usize::MAX);
        assert_eq!((endless.take(3, 1 << 40), endless.used()), (3, 3 << 40));
    }
}
