//! The cache of freed mappings: bounded in number and bytes, best fit, oldest out first.
#![forbid(unsafe_code)]

use crate::base::addr::Addr;

const CAP: usize = 64;
/// Bytes kept at most: they stay resident.
const MAX_BYTES: usize = 32 << 20;
/// A request may waste this part of a cached mapping: an eighth.
const WASTE: usize = 8;

#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) base: Addr,
    pub(super) bytes: usize,
}

pub(super) struct Cache {
    /// Oldest first.
    entries: [Entry; CAP],
    len: usize,
    bytes: usize,
}

impl Cache {
    pub(super) const fn new() -> Cache {
        Cache { entries: [Entry { base: Addr::NULL, bytes: 0 }; CAP], len: 0, bytes: 0 }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps one more, unless it is larger than all the cache may hold; returns one to unmap when there is too much.
    pub(super) fn put(&mut self, entry: Entry) -> Option<Entry> {
        if entry.bytes > MAX_BYTES {
            return Some(entry);
        }
        let evicted = if self.len == CAP { self.take_oldest() } else { None };
        if let Some(slot) = self.entries.get_mut(self.len) {
            *slot = entry;
            self.len += 1;
            self.bytes += entry.bytes;
        }
        evicted.or_else(|| self.take_excess())
    }

    /// One to unmap as long as there is too much.
    pub(super) fn take_excess(&mut self) -> Option<Entry> {
        if self.bytes > MAX_BYTES { self.take_oldest() } else { None }
    }

    pub(super) fn take_oldest(&mut self) -> Option<Entry> {
        (self.len > 0).then(|| self.remove(0))
    }

    /// The smallest that holds `bytes` at `align` without wasting more than an eighth; the newest of equals.
    pub(super) fn take_best(&mut self, bytes: usize, align: usize) -> Option<Entry> {
        let held = self.entries.iter().take(self.len).enumerate().rev();
        let (best, _) = held
            .filter(|(_, entry)| entry.base.is_aligned(align))
            .filter(|(_, entry)| entry.bytes >= bytes && entry.bytes - bytes <= entry.bytes / WASTE)
            .min_by_key(|(_, entry)| entry.bytes)?;
        Some(self.remove(best))
    }

    fn remove(&mut self, index: usize) -> Entry {
        let mut removed = Entry { base: Addr::NULL, bytes: 0 };
        if let Some(tail) = self.entries.get_mut(index..self.len)
            && let Some(&first) = tail.first()
        {
            removed = first;
            tail.rotate_left(1);
            self.len -= 1;
            self.bytes -= removed.bytes;
        }
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: usize, mib: usize) -> Entry {
        Entry { base: Addr(n << 21), bytes: mib << 20 }
    }

    #[test]
    fn best_fit_wastes_an_eighth_at_most() {
        let mut cache = Cache::new();
        for (n, mib) in [(1, 8), (2, 4), (3, 9)] {
            assert!(cache.put(entry(n, mib)).is_none());
        }
        assert_eq!(cache.take_best(8 << 20, 1 << 16).map(|e| e.base.0 >> 21), Some(1));
        assert_eq!(cache.take_best(8 << 20, 1 << 16).map(|e| e.base.0 >> 21), Some(3));
        assert!(cache.take_best(3 << 20, 1 << 16).is_none(), "a quarter would be wasted");
        assert!(cache.take_best(4 << 20, 1 << 23).is_none(), "not aligned");
        assert_eq!(cache.bytes(), 4 << 20);
    }

    #[test]
    fn too_much_evicts_the_oldest_and_too_big_is_refused() {
        let mut cache = Cache::new();
        assert_eq!(cache.put(entry(9, 33)).map(|e| e.base.0 >> 21), Some(9));
        for n in 1..=4 {
            assert!(cache.put(entry(n, 8)).is_none());
        }
        assert_eq!(cache.put(entry(5, 8)).map(|e| e.base.0 >> 21), Some(1));
        assert!(cache.take_excess().is_none());
        for n in 100..200 {
            cache.put(entry(n, 0));
        }
        assert!(cache.len <= CAP && cache.bytes() <= MAX_BYTES);
    }
}
