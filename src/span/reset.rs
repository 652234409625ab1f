//! All blocks of a class freed at once: the cost is by spans, whatever was in them. Only in a heap whose blocks wait in no batch and no magazine
//! meanwhile: an arena's.

use super::backend::{clear, release, tiny_backend_release_span};
use super::claims;
use super::dirty::Dirty;
use super::lists::Spans;
use super::record::{List, Span};
use super::steps::note_holes;
use crate::class::ClassId;
use crate::config;

/// Where spans with blocks in use stand, or with free ones that are not resident.
const USED: [List; 7] =
    [List::Full, List::Fullest, List::Fuller, List::Emptier, List::Emptiest, List::GoneFuller, List::GoneEmptier];

impl Spans {
    /// Frees every block of `class`, and says how many bytes and spans went: the spans that were in use are kept, for what was needed once is soon
    /// needed again; of those that lay empty since the last time, half goes back to the pool.
    pub(crate) fn free_all(&mut self, class: ClassId, dirty: &mut Dirty) -> (usize, u32) {
        let released = self.release_some(self.empty().div_ceil(2), dirty);
        (self.free_used(class, dirty), released)
    }

    fn free_used(&mut self, class: ClassId, dirty: &mut Dirty) -> usize {
        let used = self.used(class);
        for list in USED {
            while let Some(mut span) = self.first_on(list) {
                // SAFETY: a live record of this heap (L1), under its lock; no other reference to it is held.
                unsafe { span.as_mut() }.free_all(dirty);
                // All of it is free, and so it stays on no such list.
                self.replace(span, dirty);
            }
        }
        // These come back on a list when their pages are gone.
        let mut at = self.going();
        while let Some(mut span) = at {
            // SAFETY: as above.
            let record = unsafe { span.as_mut() };
            record.free_all(dirty);
            at = record.next;
        }
        self.free = self.spans as u64 * class.blocks_per_span() as u64;
        used
    }

    /// Frees every block of `class`, and all spans go. None of them is on its way to the kernel. Says how many went.
    pub(crate) fn release_all(&mut self, class: ClassId, dirty: &mut Dirty) -> u32 {
        self.free_used(class, dirty);
        let mut released = 0;
        while let Some(span) = self.take_empty(dirty) {
            release::<true>(span, dirty);
            released += 1;
        }
        released
    }

    fn release_some(&mut self, most: u32, dirty: &mut Dirty) -> u32 {
        for released in 0..most {
            let Some(span) = self.take_empty(dirty) else { return released };
            tiny_backend_release_span(span, dirty);
        }
        most
    }
}

impl Span {
    fn free_all(&mut self, dirty: &mut Dirty) {
        let (capacity, taken) = (self.capacity, self.capacity - self.free);
        if taken == 0 {
            return;
        }
        // Not counted as dirty, which the bound would have purged at once: it is there for the next round. A sweep finds it when it has not come
        // for two decay times.
        if dirty.region.is_none() {
            dirty.free += taken as usize * self.block_size as usize;
        }
        (self.freed_in, self.holes) = (dirty.generation, true);
        note_holes();
        self.bitmap().set_first(capacity);
        (self.free, self.hint) = (capacity, 0);
        // Hardened heaps take free blocks for zero, and unclaimed.
        if config::get::hardened() != config::hardened::OFF {
            clear(self, dirty);
        }
        if !self.claims.is_null() {
            claims::forget(self.class, self.claims);
        }
    }
}

/// Of a heap's spans, by class: whether pages of some are on their way to the kernel. No other sweep begins while one holds the `Gather`.
pub(crate) fn is_any_going(lists: &[Spans]) -> bool {
    lists.iter().any(|spans| spans.going().is_some())
}
