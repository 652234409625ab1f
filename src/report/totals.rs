//! `Totals`: one walk over all heaps and boxes.
#![forbid(unsafe_code)]

use core::ops::{Deref, DerefMut};
use core::sync::atomic::AtomicU32;

use crate::base::addr::GRANULE;
use crate::base::aside::Aside;
use crate::baseline;
use crate::class::{CLASSES, ClassId};
use crate::hardened;
use crate::heap::{self, Current, Heap};
use crate::large;
use crate::meta;
use crate::os::lock::{Mutex, MutexGuard};
use crate::os::{self, Usage, gate, thread};
use crate::page_map;
use crate::reserve;
use crate::span;
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
    /// Bytes of its spans that the kernel says are resident; 0 unless it was asked.
    pub(crate) resident: u64,
    pub(crate) events: [u64; EVENTS],
}

/// The classes' totals: 12 KiB, and the caller's stack may have two.
pub(crate) struct Classes(Option<MutexGuard<'static, [ClassTotals; CLASSES]>>);

/// Room for as many reports at a time. Tried only: what takes a report in may be slow, or ask for one itself.
static ROOMS: Aside<[Mutex<[ClassTotals; CLASSES]>; 8]> =
    Aside([const { Mutex::new([ClassTotals::NONE; CLASSES]) }; 8]);

/// How often, a millisecond apart, a report asks for room; in the end its sums lack the classes.
const TRIES: u32 = 1000;

impl Classes {
    fn new() -> Classes {
        for _ in 0..TRIES {
            if let Some(mut room) = ROOMS.iter().find_map(|room| room.try_lock()) {
                room.fill(ClassTotals::NONE);
                return Classes(Some(room));
            }
            thread::wait(&AtomicU32::new(0), 0, 1);
        }
        Classes(None)
    }
}

impl Deref for Classes {
    type Target = [ClassTotals];

    fn deref(&self) -> &[ClassTotals] {
        self.0.as_ref().map_or(&[], |room| &room[..])
    }
}

impl DerefMut for Classes {
    fn deref_mut(&mut self) -> &mut [ClassTotals] {
        self.0.as_mut().map_or(&mut [], |room| &mut room[..])
    }
}

pub(crate) struct Totals {
    pub(crate) classes: Classes,
    pub(crate) heaps: u64,
    pub(crate) orphans: u64,
    /// Bytes in inboxes, about.
    pub(crate) pending_bytes: u64,
    pub(crate) pool: superslab::Snapshot,
    pub(crate) large: large::Snapshot,
    pub(crate) meta_bytes: u64,
    pub(crate) page_map_bytes: u64,
    /// Bytes freed into spans and not looked through for whole free pages yet.
    pub(crate) span_dirty_bytes: u64,
    /// Bytes of whole pages purged inside spans so far.
    pub(crate) span_purged_bytes: u64,
    /// Bytes of those pages that hold no block handed out since.
    pub(crate) span_gone_bytes: u64,
    pub(crate) usage: Usage,
}

/// What the reserve holds is counted as large blocks.
fn large_and_reserve() -> large::Snapshot {
    let mut large = large::snapshot();
    let (mapped_bytes, live_bytes, live_blocks) = reserve::figures();
    large.mapped_bytes += mapped_bytes;
    large.live_bytes += live_bytes;
    large.live_blocks += live_blocks;
    large
}

impl Totals {
    /// Figures of other threads' magazines are read while those run: right to a block or two each.
    /// What only locks can tell is zero if a fork that is on its way does not end within a moment.
    #[inline(never)]
    pub(crate) fn take() -> Totals {
        // Before the frame of `with` is there: a report has 2 KiB of stack.
        if let Some(_inside) = gate::enter() {
            heap::cool_all();
            heap::take_in_unused();
        }
        Totals::with(Classes::new())
    }

    /// `take`, and what of each class's spans is resident. `None`: a fork is on its way.
    pub(crate) fn take_resident() -> Option<Totals> {
        let mut classes = Classes::new();
        let _inside = gate::enter_later()?;
        // Before the totals: a span released in between is in none of them, and one acquired in between is not resident yet.
        heap::each_heap(|heap| {
            for (spans, total) in heap.look().spans.iter_mut().zip(classes.iter_mut()) {
                total.resident += spans.resident_bytes();
            }
        });
        Some(Totals::with(classes))
    }

    fn with(mut classes: Classes) -> Totals {
        let inside = gate::enter_later();
        let (mut heaps, mut orphans, mut pending_bytes) = (0, 0, 0);
        let (mut span_dirty_bytes, mut span_gone_bytes) = (0, 0);
        let look = |heap: &'static Heap| {
            heaps += 1;
            orphans += heap.is_orphan() as u64;
            let core = heap.look();
            pending_bytes += heap.inbox_bytes();
            span_dirty_bytes += core.dirty.bytes as u64;
            span_gone_bytes += core.dirty.gone as u64;
            for ((class, total), spans) in ClassId::all().zip(classes.iter_mut()).zip(&core.spans) {
                total.spans += spans.spans as u64;
                total.blocks += spans.spans as u64 * class.blocks_per_span() as u64;
                total.free += spans.free;
                total.cached += heap.cached(class) as u64;
                for (event, count) in total.events.iter_mut().enumerate() {
                    *count += heap.events.get(class.index(), event);
                }
            }
        };
        if inside.is_some() {
            heap::each_heap(look);
        }
        if let Current::Heap(heap) = heap::current() {
            for (class, total) in ClassId::all().zip(classes.iter_mut()) {
                total.cached += hardened::cached(heap, class);
                if class.is_tiny() {
                    total.cached += baseline::cached(heap, class);
                }
            }
        }
        Totals {
            classes,
            heaps,
            orphans,
            pending_bytes,
            pool: inside.as_ref().map(|_| superslab::snapshot()).unwrap_or_default(),
            large: large_and_reserve(),
            meta_bytes: inside.as_ref().map_or(0, |_| (meta::mapped() + span::claims_mapped()) as u64),
            page_map_bytes: page_map::resident(),
            span_dirty_bytes,
            span_purged_bytes: heap::purged_bytes(),
            span_gone_bytes,
            usage: os::usage(),
        }
    }

    /// Classes with their totals.
    pub(crate) fn by_class(&self) -> impl Iterator<Item = (ClassId, &ClassTotals)> {
        ClassId::all().zip(self.classes.iter())
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
        held + self.empty_bytes() + self.metadata_bytes()
    }

    /// Bytes for records.
    pub(crate) fn metadata_bytes(&self) -> u64 {
        self.meta_bytes + self.page_map_bytes
    }
}

impl ClassTotals {
    const NONE: ClassTotals = ClassTotals { spans: 0, blocks: 0, free: 0, cached: 0, resident: 0, events: [0; EVENTS] };

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::table::{BY_CLASS, TABLE};

    /// Totals of numbers that differ, and the blocks of each class as the naive sums below see them.
    fn made_up() -> Totals {
        let mut x = 88_172_645_463_325_252u64;
        let mut next = |limit: u64| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            x % limit
        };
        let mut totals = Totals::take();
        for class in totals.classes.iter_mut() {
            (class.spans, class.free, class.cached) = (next(9), next(1000), next(500));
            class.blocks = class.free + class.cached + next(3000);
            class.events = core::array::from_fn(|_| next(10_000));
        }
        (totals.large.live_blocks, totals.large.live_bytes) = (next(50), next(1 << 30));
        (totals.large.mapped_bytes, totals.large.cached_bytes, totals.large.purged_bytes) =
            (next(1 << 31), 77, 1 << 20);
        (totals.pool.active, totals.pool.empty, totals.pool.cached_dirty) = (900, 40, 3);
        (totals.span_dirty_bytes, totals.span_purged_bytes, totals.span_gone_bytes) = (5000, 90_000, 8192);
        totals
    }

    fn row(totals: &Totals, name: &str) -> u64 {
        TABLE.iter().find(|row| row.name() == name).unwrap().value(totals)
    }

    #[test]
    fn the_table_agrees_with_naive_sums() {
        let totals = made_up();
        let (mut live, mut live_bytes, mut cached, mut free, mut refills) = (0, 0, 0, 0, 0);
        for index in 0..CLASSES {
            let (class, size) = (&totals.classes[index], ClassId::from_index(index).block_size() as u64);
            live += class.blocks - class.free - class.cached;
            live_bytes += (class.blocks - class.free - class.cached) * size;
            cached += class.cached * size;
            free += class.free * size;
            refills += class.events[0];
        }
        assert_eq!(row(&totals, "live_blocks"), live + totals.large.live_blocks);
        assert_eq!(row(&totals, "live_bytes"), live_bytes + totals.large.live_bytes);
        assert_eq!((row(&totals, "cached_bytes"), row(&totals, "free_bytes")), (cached, free));
        assert_eq!(row(&totals, "refills"), refills);
        assert_eq!(row(&totals, "dirty_bytes"), 43 * 65_536 + 77 + 5000);
        let held = 900 * 65_536 + totals.large.mapped_bytes - 8192;
        assert_eq!(row(&totals, "resident_bytes"), held + 43 * 65_536 + totals.metadata_bytes());
        assert_eq!(row(&totals, "purged_bytes"), totals.pool.purged_bytes + (1 << 20) + 90_000);
    }

    #[test]
    fn names_are_unique_and_keep_the_rules() {
        let names = TABLE.iter().map(|row| row.name());
        for (index, name) in names.clone().enumerate() {
            assert!(names.clone().skip(index + 1).all(|other| other != name), "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'));
            assert!(!name.ends_with("_total"), "Prometheus's ending");
        }
        // A backslash or a newline would have to be escaped in Prometheus's text, a bar in the documents' tables.
        let helps = TABLE.iter().map(|row| row.help()).chain(BY_CLASS.iter().map(|column| column.help()));
        assert!(helps.into_iter().all(|help| !help.contains(['\\', '\n', '|']) && !help.starts_with(' ')));
    }

    #[test]
    fn hits_are_never_more_than_refills_allow() {
        let mut class = ClassTotals { cached: 30, ..ClassTotals::default() };
        assert_eq!((class.allocs(), class.hits()), (0, 0));
        (class.events[Event::Refill as usize], class.events[Event::Refilled as usize]) = (3, 100);
        assert_eq!((class.allocs(), class.hits()), (70, 67));
    }
}
