//! What lies behind a heap's lock: who has the lock, how it is taken, and what of it the process's counters know.
#![forbid(unsafe_code)]

use core::ops::{Deref, DerefMut};

use super::state::{Core, Heap};
use crate::base::tray::Tray;
use crate::class::ClassId;
use crate::os::Misuse;
use crate::os::lock::MutexGuard;
use crate::span;
use crate::stats::counter::Counter;
use crate::stats::level::{FREE, GONE, UNTOLD};

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

impl Heap {
    /// Takes in what others freed. Any thread; `wait`: even if the heap is busy.
    pub(super) fn take_in(&self, wait: bool) {
        drop(if wait { Some(self.enter()) } else { self.try_enter() });
    }

    /// Takes the lock. Any thread.
    pub(crate) fn look(&self) -> Locked<'_> {
        Locked { heap: self, core: self.core.lock() }
    }

    pub(super) fn try_look(&self) -> Option<Locked<'_>> {
        self.core.try_lock().map(|core| Locked { heap: self, core })
    }

    /// Takes the lock, and in what others have sent.
    pub(super) fn enter(&self) -> Locked<'_> {
        self.look().drained()
    }

    pub(super) fn try_enter(&self) -> Option<Locked<'_>> {
        self.try_look().map(Locked::drained)
    }
}

impl Locked<'_> {
    /// With what others have sent taken in.
    pub(super) fn drained(mut self) -> Self {
        match self.drain() {
            Ok(()) => self,
            Err(misuse) => {
                drop(self);
                misuse.die()
            }
        }
    }
}

/// Leaves a heap's lock, and the process where something was wrong.
pub(super) fn end(core: Locked<'_>, done: Result<(), Misuse>) {
    drop(core);
    if let Err(misuse) = done {
        misuse.die();
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

    /// Counts blocks that others sent back.
    pub(super) fn note_returned(&mut self, blocks: usize) {
        self.returned = self.returned.saturating_add(blocks as u32);
    }

    /// Brings the process's count up to date, when that is worth an atomic operation.
    pub(super) fn publish(&mut self) {
        let (dirty, free, gone) = self.published;
        let spans = &self.dirty;
        if spans.bytes.abs_diff(dirty).max(spans.free.abs_diff(free)).max(spans.gone.abs_diff(gone)) > UNTOLD {
            self.publish_all();
        }
    }

    pub(super) fn publish_all(&mut self) {
        let (dirty, free, gone) = self.published;
        let now = (self.dirty.bytes, self.dirty.free, self.dirty.gone);
        if now != self.published {
            DIRTY.add(now.0.wrapping_sub(dirty) as u64);
            FREE.add(now.1.wrapping_sub(free) as u64);
            GONE.add(now.2.wrapping_sub(gone) as u64);
            self.published = now;
        }
    }
}
