//! What a heap's spans hold free goes back: kept empty spans to the pool, free pages inside the others to the kernel.
//!
//! In steps of one call to the kernel, or of a few where each range of pages is a call (`span/gather.rs`), and of some hundred spans looked
//! at. While the kernel works the heap's lock is free: its thread never waits for a call.
#![forbid(unsafe_code)]

use super::{Core, PURGED, ThreadHeap, inherit};
use crate::class::ClassId;
use crate::os::lock::MutexGuard;
use crate::span::{self, Gather, Spans, Sweep};
use crate::stats::event::Event;

impl ThreadHeap {
    /// Takes in what others freed, gives kept empty spans back, and purges what it can inside the others.
    /// Any thread; `wait`: even if the heap is busy. Returns the bytes purged.
    pub(crate) fn trim(&self, wait: bool) -> usize {
        let Some(mut core) = self.enter_if(wait) else { return 0 };
        self.release_empty(&mut core);
        drop(core);
        self.sweep(Sweep::Whole, usize::MAX, wait)
    }

    /// Purges inside spans until `want` bytes went back, spans from which nothing was taken of late first. Any thread; a heap that
    /// is busy is passed over. Returns the bytes.
    pub(crate) fn purge(&self, want: usize) -> usize {
        let given = self.sweep(Sweep::Older, want, false);
        if given >= want {
            return given;
        }
        given + self.sweep(Sweep::Any, want - given, false)
    }

    /// Keeps fewer empty spans. Any thread; a busy heap is passed over.
    pub(crate) fn be_leaner(&self) {
        if let Some(mut core) = self.enter_if(false) {
            core.spans.iter_mut().for_each(Spans::age);
        }
    }

    /// Purges the spans from which nothing was taken for some calls of this. Any thread; a busy heap is passed over.
    pub(crate) fn age(&self) -> usize {
        let Some(mut core) = self.enter_if(false) else { return 0 };
        core.dirty.generation = core.dirty.generation.wrapping_add(1);
        if self.is_orphan() {
            // What others have freed since.
            inherit::offer(&core);
        }
        drop(core);
        self.sweep(Sweep::Older, usize::MAX, false)
    }

    fn enter_if(&self, wait: bool) -> Option<MutexGuard<'_, Core>> {
        if wait { Some(self.enter()) } else { self.try_enter() }
    }

    /// Gives kept empty spans back to the pool. Under the lock.
    pub(super) fn release_empty(&self, core: &mut Core) {
        let Core { spans, dirty, .. } = core;
        for (class, spans) in ClassId::all().zip(spans.iter_mut()) {
            while let Some(span) = spans.take_empty(dirty) {
                span::tiny_backend_release_span(span, dirty);
                self.events.count(class.index(), Event::SpanRelease, 1);
            }
        }
        core.publish_all();
    }

    /// Purges inside spans until `want` bytes went back, or all that was free when it began. Returns the bytes. The caller holds no heap's lock.
    fn sweep(&self, which: Sweep, want: usize, wait: bool) -> usize {
        let Some(mut gather) = Gather::begin(wait) else { return 0 };
        let Some(mut core) = self.enter_if(wait) else { return 0 };
        // What its thread goes on freeing meanwhile is for another time: this ends.
        let want = want.min(core.dirty.free.saturating_sub(core.dirty.gone));
        span::begin(&mut core.dirty);
        let (mut given, mut more) = (0, want > 0);
        while more {
            let Core { spans, dirty, .. } = &mut *core;
            more = span::step(spans, dirty, which, &mut gather, want - given);
            drop(core);
            let (gathered, went) = (gather.bytes(), gather.give());
            // Not only tried: what is on its way must come back on its list.
            core = self.core.lock();
            let Core { spans, dirty, .. } = &mut *core;
            span::settle(spans, dirty, &mut gather);
            // To the byte: what is left over here would look like something to purge, for ever.
            core.publish_all();
            given += went;
            // All refused: so will be the rest.
            more &= given < want && (went > 0 || gathered == 0);
        }
        drop(core);
        PURGED.add(given as u64);
        given
    }
}
