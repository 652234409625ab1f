//! `Totals`: one walk over all heaps and boxes.
#![forbid(unsafe_code)]

use crate::baseline;
use crate::class::{CLASSES, ClassId};
use crate::heap::{self, Current};
use crate::large;
use crate::meta;
use crate::stats::event::EVENTS;
use crate::superslab;

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
    pub(crate) pool: superslab::Snapshot,
    pub(crate) large: large::Snapshot,
    pub(crate) meta_bytes: u64,
    pub(crate) nodes_ran_dry: u64,
    /// Bytes freed into spans and not looked through for whole free pages yet.
    pub(crate) span_dirty_bytes: u64,
    /// Bytes of whole pages purged inside spans so far.
    pub(crate) span_purged_bytes: u64,
}

impl Totals {
    /// Figures of other threads' magazines are read while those run: right to a block or two each.
    pub(crate) fn take() -> Totals {
        let mut classes = [ClassTotals::default(); CLASSES];
        let mut heaps = 0;
        heap::each_heap(|heap| {
            heaps += 1;
            let core = heap.look();
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
            pool: superslab::snapshot(),
            large: large::snapshot(),
            meta_bytes: meta::mapped() as u64,
            nodes_ran_dry: heap::ran_dry().get(),
            span_dirty_bytes: heap::dirty_bytes(),
            span_purged_bytes: heap::purged_bytes(),
        }
    }

    /// Classes with their totals.
    pub(crate) fn by_class(&self) -> impl Iterator<Item = (ClassId, &ClassTotals)> {
        ClassId::all().zip(&self.classes)
    }

    /// Bytes of blocks that programs hold.
    pub(crate) fn live_bytes(&self) -> u64 {
        self.by_class().map(|(class, total)| total.live() * class.block_size() as u64).sum::<u64>()
            + self.large.live_bytes
    }

    /// Bytes of blocks free in spans and caches.
    pub(crate) fn free_bytes(&self) -> u64 {
        self.by_class().map(|(class, total)| (total.free + total.cached) * class.block_size() as u64).sum()
    }

    /// Bytes mapped for users' blocks.
    pub(crate) fn mapped_bytes(&self) -> u64 {
        self.pool.mapped_bytes + self.large.mapped_bytes
    }
}

impl ClassTotals {
    pub(crate) fn live(&self) -> u64 {
        self.blocks.saturating_sub(self.free + self.cached)
    }
}
