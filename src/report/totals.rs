//! `Totals`: one walk over all heaps and boxes.
#![forbid(unsafe_code)]

use crate::base::addr::GRANULE;
use crate::baseline;
use crate::class::{CLASSES, ClassId};
use crate::heap::{self, Current};
use crate::large;
use crate::meta;
use crate::os::{self, Usage};
use crate::stats::event::{EVENTS, Event};
use crate::superslab;
use crate::tiny_heap;

#[derive(Clone, Copy, Default)]
pub(crate) struct ClassTotals {
    pub(crate) spans: u64,
    /// Blocks that all spans hold, used or free.
    pub(crate) blocks: u64,
    /// Blocks free in spans.
    pub(crate) free: u64,
    /// Blocks that wait in magazines and the caller's own baseline caches.
    pub(crate) cached: u64,
    pub(crate) events: [u64; EVENTS],
}

pub(crate) struct Totals {
    pub(crate) classes: [ClassTotals; CLASSES],
    pub(crate) heaps: u64,
    pub(crate) orphans: u64,
    /// Bytes in inboxes, about.
    pub(crate) pending_bytes: u64,
    pub(crate) pool: superslab::Snapshot,
    pub(crate) large: large::Snapshot,
    pub(crate) meta_bytes: u64,
    /// Bytes freed into spans and not looked through for whole free pages yet.
    pub(crate) span_dirty_bytes: u64,
    /// Bytes of whole pages purged inside spans so far.
    pub(crate) span_purged_bytes: u64,
    /// Bytes of those pages that hold no block handed out since.
    pub(crate) span_gone_bytes: u64,
    pub(crate) usage: Usage,
}

impl Totals {
    /// Figures of other threads' magazines are read while those run: right to a block or two each.
    pub(crate) fn take() -> Totals {
        let mut classes = [ClassTotals::default(); CLASSES];
        let (mut heaps, mut orphans, mut pending_bytes) = (0, 0, 0);
        let (mut span_dirty_bytes, mut span_gone_bytes) = (0, 0);
        heap::each_heap(|heap| {
            heaps += 1;
            orphans += heap.is_orphan() as u64;
            pending_bytes += heap.inbox_bytes();
            let core = heap.look();
            span_dirty_bytes += core.dirty.bytes as u64;
            span_gone_bytes += core.dirty.gone as u64;
            for ((class, total), spans) in ClassId::all().zip(&mut classes).zip(&core.spans) {
                total.spans += spans.spans as u64;
                total.blocks += spans.spans as u64 * class.blocks_per_span() as u64;
                total.free += spans.free;
                total.cached += heap.bin(class).len() as u64;
                for (event, count) in total.events.iter_mut().enumerate() {
                    *count += heap.events.get(class.index(), event);
                }
            }
        });
        if let Current::Heap(heap) = heap::current() {
            for (class, total) in ClassId::all().zip(&mut classes).filter(|(class, _)| class.is_tiny()) {
                total.cached += baseline::cached(heap, class);
            }
        }
        Totals {
            classes,
            heaps,
            orphans,
            pending_bytes,
            pool: superslab::snapshot(),
            large: large::snapshot(),
            meta_bytes: meta::mapped() as u64,
            span_dirty_bytes,
            span_purged_bytes: heap::purged_bytes(),
            span_gone_bytes,
            usage: os::usage(),
        }
    }

    /// Classes with their totals.
    pub(crate) fn by_class(&self) -> impl Iterator<Item = (ClassId, &ClassTotals)> {
        ClassId::all().zip(&self.classes)
    }

    /// Classes that have spans or had any.
    pub(crate) fn in_use(&self) -> impl Iterator<Item = (ClassId, &ClassTotals)> {
        self.by_class().filter(|(_, total)| total.blocks > 0 || total.events.iter().any(|&n| n > 0))
    }

    /// The tiny classes that T-HEAP serves.
    pub(crate) fn tiny(&self) -> impl Iterator<Item = &ClassTotals> {
        self.by_class().filter(|(class, _)| class.is_tiny() && tiny_heap::is_on(*class)).map(|(_, total)| total)
    }

    pub(crate) fn mid(&self) -> impl Iterator<Item = &ClassTotals> {
        self.by_class().filter(|(class, _)| !class.is_tiny()).map(|(_, total)| total)
    }

    /// How often `event` happened, in all classes.
    pub(crate) fn events(&self, event: Event) -> u64 {
        self.classes.iter().map(|class| class.event(event)).sum()
    }

    fn bytes(&self, blocks: impl Fn(&ClassTotals) -> u64) -> u64 {
        self.by_class().map(|(class, total)| blocks(total) * class.block_size() as u64).sum()
    }

    /// Bytes of blocks that programs hold.
    pub(crate) fn live_bytes(&self) -> u64 {
        self.bytes(ClassTotals::live) + self.large.live_bytes
    }

    pub(crate) fn live_blocks(&self) -> u64 {
        self.classes.iter().map(ClassTotals::live).sum::<u64>() + self.large.live_blocks
    }

    /// Bytes of blocks free in magazines and caches.
    pub(crate) fn cached_bytes(&self) -> u64 {
        self.bytes(|class| class.cached)
    }

    /// Bytes of blocks free in spans, magazines and caches.
    pub(crate) fn free_bytes(&self) -> u64 {
        self.bytes(|class| class.free + class.cached)
    }

    /// Bytes mapped for users' blocks.
    pub(crate) fn mapped_bytes(&self) -> u64 {
        self.pool.mapped_bytes + self.large.mapped_bytes
    }

    /// Bytes of slots that are free and resident.
    fn empty_bytes(&self) -> u64 {
        (self.pool.empty + self.pool.cached_dirty) * GRANULE as u64
    }

    /// Bytes that are free and resident, as far as anybody can tell without looking at each page.
    pub(crate) fn dirty_bytes(&self) -> u64 {
        self.empty_bytes() + self.large.cached_bytes + self.span_dirty_bytes
    }

    pub(crate) fn purged_bytes(&self) -> u64 {
        self.pool.purged_bytes + self.large.purged_bytes + self.span_purged_bytes
    }

    /// Bytes that are resident at most.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let held = (self.pool.active * GRANULE as u64 + self.large.mapped_bytes).saturating_sub(self.span_gone_bytes);
        held + self.empty_bytes() + self.meta_bytes
    }
}

impl ClassTotals {
    pub(crate) fn live(&self) -> u64 {
        self.blocks.saturating_sub(self.free + self.cached)
    }

    pub(crate) fn event(&self, event: Event) -> u64 {
        self.events.get(event as usize).copied().unwrap_or(0)
    }

    /// Allocations through magazines, at least. Nothing counts them where they happen; but what refills brought and no
    /// magazine still holds was allocated once, or flushed unused, which happens at a trim and at a thread's end. Blocks that
    /// went round within a magazine come on top.
    pub(crate) fn allocs(&self) -> u64 {
        self.event(Event::Refilled).saturating_sub(self.cached)
    }

    /// Of those, the ones that met a filled magazine.
    pub(crate) fn hits(&self) -> u64 {
        self.allocs().saturating_sub(self.event(Event::Refill))
    }
}
