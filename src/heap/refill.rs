//! Blocks from a heap's spans: those that it has, those of orphans, what waits elsewhere, and then a new one.
#![forbid(unsafe_code)]

use super::behind::Locked;
use super::empty::holds_empty;
use super::state::{Core, Heap};
use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::base::tray::Tray;
use crate::class::ClassId;
use crate::os;
use crate::span::{self, Spans};
use crate::stats::event::Event;

/// A line of the cache.
///
/// Blocks that another thread frees pass from one processor's cache to the other's and back. In ascending order they look to the other one like an
/// array, so it asks for the lines of the next blocks just before the owner writes them, and each goes to and fro once more: a block of 1 KiB took
/// 170 ns from thread to thread, and takes 50 in no order. Smaller blocks share lines, and are better off side by side.
const LINE: usize = 64;
/// The most that a class may have in use for that: about what a processor's second cache holds. Of more the other one has little left by the time it
/// comes back, so that nothing goes to and fro, and in order blocks go back in runs, and their lines are fetched ahead.
const NEAR: usize = 1 << 20;

impl Heap {
    /// Fills `out`, which is empty, with blocks of `class`. It stays so when out of memory.
    ///
    /// Fewer than it has room for is normal: a new span is acquired only when there is no block at all.
    pub(crate) fn refill(&self, class: ClassId, out: &mut Tray<'_>) {
        self.refill_watched(class, out, &mut 0);
    }

    /// `refill`, and how many bytes of pages that read as zero are among the blocks.
    #[inline]
    fn refill_watched(&self, class: ClassId, out: &mut Tray<'_>, zero: &mut usize) {
        if out.is_full() {
            return;
        }
        if self.is_apart() {
            return self.refill_apart(class, out, zero);
        }
        // What others sent back of a big class is served at once: through the pool it took 2,100 instructions and 24 locked ones.
        let mut core = self.look();
        core.set_awaited(class, class.is_big());
        core = core.drained();
        let mut found = core.refill(class, out, zero);
        if !found && core.inherit(class) {
            found = core.refill(class, out, zero);
        }
        if !found && core.recall() {
            core = core.drained();
            found = core.refill(class, out, zero);
        }
        core.set_awaited(class, false);
        let mut fresh = None;
        if !found {
            if !core.add_span(class) {
                return;
            }
            fresh = core.spans.get(class.index()).and_then(Spans::to_populate);
            core.refill(class, out, zero);
        }
        core.tide.take(out.len() * class.block_size());
        core.publish();
        let returned = core.returned;
        core.returned = returned.saturating_sub(out.len() as u32);
        let used = core.spans.get(class.index()).map_or(0, |spans| spans.used(class));
        drop(core);
        if let Some(fresh) = fresh {
            // Without the lock. It stays: its blocks are in `out`.
            os::populate(fresh, class.span_bytes());
        }
        if returned > 0 && class.block_size() >= LINE && used <= NEAR {
            out.scatter(returned);
        }
        self.events.count(class.index(), Event::Refill, 1);
        self.events.count(class.index(), Event::Refilled, out.len() as u64);
    }

    /// One block straight from a span, for threads without magazines.
    pub(crate) fn alloc_direct(&self, class: ClassId) -> Option<Block> {
        let mut block = [Addr::NULL];
        let mut out = Tray::over(&mut block);
        self.refill(class, &mut out);
        out.take()
    }

    /// `alloc_direct`, and whether all of the block is known to read as zero: only of a big class.
    pub(crate) fn alloc_fresh(&self, class: ClassId) -> Option<(Block, bool)> {
        let (mut block, mut gone) = ([Addr::NULL], 0);
        let mut out = Tray::over(&mut block);
        self.refill_watched(class, &mut out, &mut gone);
        // Its blocks are whole pages: all of them were purged, or never used, exactly if as many bytes are back now.
        out.take().map(|block| (block, class.is_big() && gone == class.block_size()))
    }
}

impl Core {
    fn set_awaited(&mut self, class: ClassId, is_awaited: bool) {
        if let Some(spans) = self.spans.get_mut(class.index()) {
            spans.set_awaited(is_awaited);
        }
    }
}

impl Locked<'_> {
    /// Acquires a span. `false`: out of memory.
    pub(super) fn add_span(&mut self, class: ClassId) -> bool {
        let owner = self.heap.addr();
        let Core { spans, dirty, tide, .. } = &mut *self.core;
        let Some(spans) = spans.get_mut(class.index()) else { return false };
        let Some(fresh) = span::tiny_backend_acquire_span(class, owner, dirty) else { return false };
        if holds_empty(owner) {
            span::close(fresh);
        }
        spans.add(fresh);
        tide.note_acquired();
        self.heap.events.count(class.index(), Event::SpanAcquire, 1);
        true
    }
}
