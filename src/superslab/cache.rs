//! The cache of empty SuperSlabs: RETIRED, still mapped, newest used again first, oldest unmapped first.
#![forbid(unsafe_code)]

/// More than this many are never kept.
pub(super) const CAP: usize = 64;

/// A RETIRED SuperSlab and which of its slots hold old bytes.
#[derive(Clone, Copy)]
pub(super) struct Cached {
    pub(super) id: u32,
    pub(super) dirty: u32,
}

pub(super) struct Cache {
    entries: [Cached; CAP],
    len: usize,
}

impl Cache {
    pub(super) const fn new() -> Cache {
        Cache { entries: [Cached { id: 0, dirty: 0 }; CAP], len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Keeps one more; returns the oldest when that makes more than `limit`.
    pub(super) fn put(&mut self, entry: Cached, limit: usize) -> Option<Cached> {
        let limit = limit.min(CAP);
        if limit == 0 {
            return Some(entry);
        }
        let evicted = if self.len >= limit { self.take_oldest() } else { None };
        if let Some(slot) = self.entries.get_mut(self.len) {
            *slot = entry;
            self.len += 1;
        }
        evicted
    }

    /// Keeps one more, as the oldest; returns it when that makes more than `limit`.
    pub(super) fn put_oldest(&mut self, entry: Cached, limit: usize) -> Option<Cached> {
        if self.len >= limit.min(CAP) {
            return Some(entry);
        }
        self.entries.rotate_right(1);
        if let Some(slot) = self.entries.first_mut() {
            *slot = entry;
            self.len += 1;
        }
        None
    }

    pub(super) fn take_newest(&mut self) -> Option<Cached> {
        self.len = self.len.checked_sub(1)?;
        self.entries.get(self.len).copied()
    }

    pub(super) fn take_oldest(&mut self) -> Option<Cached> {
        if self.len == 0 {
            return None;
        }
        let oldest = self.entries.first().copied();
        self.entries.rotate_left(1);
        self.len -= 1;
        oldest
    }

    /// The oldest with old bytes in it.
    pub(super) fn take_dirty(&mut self) -> Option<Cached> {
        let kept = self.entries.get_mut(..self.len)?;
        let at = kept.iter().position(|entry| entry.dirty != 0)?;
        kept.get_mut(at..)?.rotate_left(1);
        self.take_newest()
    }

    pub(super) fn dirty_slots(&self) -> u64 {
        self.entries.iter().take(self.len).map(|entry| entry.dirty.count_ones() as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_out_first_oldest_evicted_first() {
        let mut cache = Cache::new();
        let entry = |id| Cached { id, dirty: 1 };
        assert!(cache.put(entry(1), 2).is_none() && cache.put(entry(2), 2).is_none());
        assert_eq!(cache.put(entry(3), 2).map(|entry| entry.id), Some(1));
        assert_eq!(cache.dirty_slots(), 2);
        assert_eq!(cache.take_newest().map(|entry| entry.id), Some(3));
        assert_eq!(cache.take_oldest().map(|entry| entry.id), Some(2));
        assert!(cache.take_newest().is_none() && cache.take_oldest().is_none());
        assert_eq!(cache.put(entry(9), 0).map(|entry| entry.id), Some(9));
        assert!(cache.put(entry(4), 2).is_none() && cache.put_oldest(entry(5), 3).is_none());
        assert!(cache.put_oldest(entry(6), 3).is_none() && cache.put_oldest(entry(7), 3).is_some());
        assert_eq!([(); 3].map(|()| cache.take_oldest().map(|entry| entry.id)), [Some(6), Some(5), Some(4)]);
    }
}
