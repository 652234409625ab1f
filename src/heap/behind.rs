//! `Core`: what a heap's lock guards, and what of it the process's counters know. `Locked`: who has the lock.
#![forbid(unsafe_code)]

use core::ops::{Deref, DerefMut};

use super::{Heap, ebb, recall};
use crate::base::tray::Tray;
use crate::class::{CLASSES, ClassId};
use crate::os::lock::MutexGuard;
use crate::span::{self, Dirty, Spans};
use crate::stats::counter::Counter;
use crate::stats::level::{FREE, UNTOLD};

/// Bytes freed into spans and not swept yet, over all heaps, to `UNTOLD` each.
static DIRTY: Counter = Counter::new();
pub(super) static PURGED: Counter = Counter::new();

/// Bytes of dirty blocks in the spans of all heaps, to some hundred KiB each.
pub(crate) fn dirty_bytes() -> u64 {
    DIRTY.get()
}

/// Bytes of free blocks in the spans of all heaps, likewise.
pub(crate) fn free_bytes() -> u64 {
    FREE.get()
}

/// Bytes purged inside spans so far.
pub(crate) fn purged_bytes() -> u64 {
    PURGED.get()
}

/// What the heap's lock guards.
pub(crate) struct Core {
    pub(crate) spans: [Spans; CLASSES],
    pub(crate) dirty: Dirty,
    /// What `DIRTY` and `FREE` count of `dirty.bytes` and `dirty.free`.
    pub(super) published: (usize, usize),
    pub(super) tide: ebb::Tide,
    pub(super) hand: recall::Hand,
}

/// A heap's lock, taken: what may be done with its spans is done with this.
pub(crate) struct Locked<'a> {
    pub(super) heap: &'a Heap,
    pub(super) core: MutexGuard<'a, Core>,
}

impl Deref for Locked<'_> {
    type Target = Core;

    #[inline(always)]
    fn deref(&self) -> &Core {
        &self.core
    }
}

impl DerefMut for Locked<'_> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Core {
        &mut self.core
    }
}

impl Core {
    /// What the spans of `class` that are there have. `false`: nothing. `zero`: as in `refill_watched`.
    #[inline(never)]
    pub(super) fn refill(&mut self, class: ClassId, out: &mut Tray<'_>, zero: &mut usize) -> bool {
        let Some(spans) = self.spans.get_mut(class.index()) else { return false };
        let gone = self.dirty.gone;
        span::refill(spans, &mut self.dirty, out);
        *zero = gone - self.dirty.gone;
        !out.is_empty()
    }

    /// Brings the process's count up to date, when that is worth an atomic operation.
    pub(super) fn publish(&mut self) {
        let (dirty, free) = self.published;
        if self.dirty.bytes.abs_diff(dirty).max(self.dirty.free.abs_diff(free)) > UNTOLD {
            self.publish_all();
        }
    }

    pub(super) fn publish_all(&mut self) {
        let (dirty, free) = self.published;
        if (self.dirty.bytes, self.dirty.free) != (dirty, free) {
            DIRTY.add(self.dirty.bytes.wrapping_sub(dirty) as u64);
            FREE.add(self.dirty.free.wrapping_sub(free) as u64);
            self.published = (self.dirty.bytes, self.dirty.free);
        }
    }
}
