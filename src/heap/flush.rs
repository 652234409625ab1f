//! Blocks back to the spans that they are of.

use super::behind::{Locked, end};
use super::inherit;
use super::state::{self, Core, Heap, OwnHeap};
use super::tide::Tide;
use crate::base::addr::Addr;
use crate::class::ClassId;
use crate::os::Misuse;
use crate::span::{self, Stop};
use crate::stats::event::Event;

impl Heap {
    /// One block of this heap straight to its span. Any thread that holds no heap's lock.
    pub(crate) fn free_direct(&self, at: Addr) {
        self.free_all(&[at]);
    }

    /// Blocks of this heap straight to their spans, likewise.
    pub(super) fn free_all(&self, blocks: &[Addr]) {
        if self.is_apart() {
            return self.free_apart(blocks);
        }
        let (mut heap, mut left) = (self, blocks);
        loop {
            let mut core = heap.look();
            let stop = core.flush(left);
            let Err(Stop::Astray { done, owner }) = stop else {
                return end(core, stop.map_err(|stop| misuse(stop, left)));
            };
            drop(core);
            left = left.get(done..).unwrap_or_default();
            // SAFETY: a tag's owner.
            heap = unsafe { state::at(owner) };
        }
    }
}

impl Locked<'_> {
    /// Gives blocks back to their spans.
    pub(super) fn flush(&mut self, blocks: &[Addr]) -> Result<(), Stop> {
        let Locked { heap, core } = self;
        let Core { spans, dirty, tide, .. } = &mut **core;
        let is_large = span::pays_ahead(tide.used + dirty.free);
        let (freed, done) = span::flush(heap.addr(), blocks, spans, dirty, is_large, &heap.events);
        tide.give(freed);
        core.publish();
        match done {
            Err(stop @ Stop::Astray { .. }) if !inherit::happened() => Err(Stop::Misuse(misuse(stop, blocks))),
            done => done,
        }
    }
}

impl OwnHeap {
    /// Gives blocks of this heap, all of `class`, back to their spans.
    pub(crate) fn flush(self, class: ClassId, blocks: &[Addr]) {
        let _ = self.flush_measured(class, blocks);
    }

    /// `flush`, and what is left.
    pub(super) fn flush_measured(self, class: ClassId, blocks: &[Addr]) -> Tide {
        let mut core = self.look();
        self.events.count(class.index(), Event::Flush, 1);
        // A thread's own blocks are never astray: see `span::transfer`.
        let done = core.flush(blocks).map_err(|stop| misuse(stop, blocks));
        let tide = core.tide;
        end(core, done);
        tide
    }
}

/// What is wrong when a flush of `blocks` stopped where none may be astray.
#[cold]
pub(super) fn misuse(stop: Stop, blocks: &[Addr]) -> Misuse {
    match stop {
        Stop::Misuse(misuse) => misuse,
        Stop::Astray { done, .. } => span::foreign(blocks.get(done).copied().unwrap_or(Addr::NULL)),
    }
}
