//! What a heap's spans hold free goes back: kept empty spans to the pool, free pages inside the others to the kernel.
//!
//! In steps of one call to the kernel, or of a few where each range of pages is a call (`span/gather.rs`). Between two steps the heap's lock
//! is free, so that its thread never waits for more than one.
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
        self.sweep(core, Sweep::Whole, usize::MAX, wait)
    }

    /// Purges inside spans until `want` bytes went back, spans from which nothing was taken of late first. Any thread; a heap that
    /// is busy is passed over. Returns the bytes.
    pub(crate) fn purge(&self, want: usize) -> usize {
        let Some(core) = self.enter_if(false) else { return 0 };
        let given = self.sweep(core, Sweep::Older, want, false);
        if given >= want {
            return given;
        }
        let Some(core) = self.enter_if(false) else { return given };
        given + self.sweep(core, Sweep::Any, want - given, false)
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
        self.sweep(core, Sweep::Older, usize::MAX, false)
    }

    fn enter_if(&self, wait: bool) -> Option<MutexGuard<'_, Core>> {
        if wait { Some(self.enter()) } else { self.try_enter() }
    }

    /// Gives kept empty spans back to the pool. Under the lock.
    pub(super) fn release_empty(&self, core: &mut Core) {
        let Core { spans, dirty, .. } = core;
        for (class, spans) in ClassId::all().zip(spans.iter_mut()) {
            while let Some(span) = spans.take_empty() {
                span::tiny_backend_release_span(span, dirty);
                self.events.count(class.index(), Event::SpanRelease, 1);
            }
        }
        core.publish_all();
    }

    /// Purges inside spans until `want` bytes went back, or all that was free when it began. Returns the bytes.
    fn sweep<'a>(&'a self, mut core: MutexGuard<'a, Core>, which: Sweep, want: usize, wait: bool) -> usize {
        // What its thread goes on freeing meanwhile is for another time: this ends.
        let want = want.min(core.dirty.free.saturating_sub(core.dirty.gone));
        let (mut given, mut class) = (0, 0);
        loop {
            let Some(mut gather) = Gather::begin(wait) else { break };
            let more = core.gather(&mut class, &mut gather, which, want - given);
            let gone = core.give(&mut gather);
            given += gone;
            if !more || gone == 0 || given >= want {
                break;
            }
            drop((gather, core));
            let Some(next) = self.enter_if(wait) else { break };
            core = next;
        }
        PURGED.add(given as u64);
        given
    }
}

impl Core {
    // A frame each, of which only one is there: `decay` calls this from deep down, and a call has 1 KiB of stack.
    /// Gathers pages of `want` bytes, from `class` on, where the next step begins. Says whether there are more.
    #[inline(never)]
    fn gather(&mut self, class: &mut usize, gather: &mut Gather, which: Sweep, want: usize) -> bool {
        while let Some(spans) = self.spans.get_mut(*class) {
            if span::sweep(spans, &mut self.dirty, which, gather, want) {
                return true;
            }
            *class += 1;
        }
        false
    }

    /// Gives what was gathered to the kernel. Returns the bytes that went.
    #[inline(never)]
    fn give(&mut self, gather: &mut Gather) -> usize {
        let given = gather.give();
        // Refused: rare, and so looked up.
        while let Some(kept) = gather.next_refused() {
            for spans in &mut self.spans {
                span::keep(spans, &mut self.dirty, kept);
            }
        }
        // To the byte: what is left over here would look like something to purge, for ever.
        self.publish_all();
        given
    }
}
