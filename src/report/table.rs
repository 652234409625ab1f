//! The one table of counters: name, box, kind, help and value of each stand here and nowhere else. Text, JSON, Prometheus
//! and `hak_stats` are made from it; tests hold `include/hakmem.h` and docs/STATISTICS.md to it.
#![forbid(unsafe_code)]

use super::totals::{ClassTotals, Totals};
use crate::base::addr::GRANULE;
use crate::base::label::Label;
use crate::heap;
use crate::os;
use crate::reclaim;
use crate::stats::event::Event;
use crate::stats::level;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Rises and falls.
    Gauge,
    /// Counts from the process's start and never falls.
    Counter,
}
use Kind::{Counter, Gauge};

/// A figure: of the whole process, or in `BY_CLASS` of a class. No address is in it, so that the loader has nothing to write: most processes never
/// touch it.
pub(super) struct Row {
    /// Ends in `_bytes` or `_blocks` where that is the unit; else it is a number of what it names.
    name: Label<24>,
    /// Whose figure it is.
    section: Label<12>,
    pub(super) kind: Kind,
    help: Label<120>,
    index: u8,
}

impl Row {
    pub(super) fn name(&self) -> &str {
        self.name.as_str()
    }

    pub(super) fn section(&self) -> &str {
        self.section.as_str()
    }

    pub(super) fn help(&self) -> &str {
        self.help.as_str()
    }

    /// The figure, of one of `TABLE`.
    pub(super) fn value(&self, totals: &Totals) -> u64 {
        value(self.index, totals)
    }

    /// The figure, of one of `BY_CLASS`.
    pub(super) fn of_class(&self, class: &ClassTotals) -> u64 {
        of_class(self.index, class)
    }
}

macro_rules! rows {
    ($table:ident [$count:ident] by $value:ident($of:ty):
     $($(#[doc = $help:literal])+ $section:ident $name:ident: $kind:ident = $figure:expr;)*) => {
        pub(crate) const $count: usize = [$(stringify!($name)),*].len();
        pub(super) static $table: [Row; $count] = {
            #[allow(non_camel_case_types, reason = "numbers named as the rows")]
            enum Index { $($name),* }
            [$(Row {
                name: Label::new(stringify!($name)),
                section: Label::new(stringify!($section)),
                kind: $kind,
                help: Label::new(concat!($($help),+).trim_ascii()),
                index: Index::$name as u8,
            }),*]
        };

        #[inline(never)] // for the stack
        fn $value(index: u8, of: &$of) -> u64 {
            #[allow(non_camel_case_types, reason = "as above")]
            enum Index { $($name),* }
            $(if index == Index::$name as u8 {
                let figure: fn(&$of) -> u64 = $figure;
                return figure(of);
            })*
            0
        }
    };
}

// `hak_stats` has the same fields in the same order: a new row goes to the end, and a row is never taken out.
rows! {
    TABLE[ROWS] by value(Totals):
    /// blocks that the program holds, each with all the bytes it can hold
    process live_bytes: Gauge = Totals::live_bytes;
    /// blocks that the program holds; one freed by another thread counts until its owner takes it back
    process live_blocks: Gauge = Totals::live_blocks;
    /// free blocks in magazines, and in the calling thread's baseline caches
    process cached_bytes: Gauge = Totals::cached_bytes;
    /// free blocks in spans
    process free_bytes: Gauge = |totals| totals.free_bytes().saturating_sub(totals.cached_bytes());
    /// free memory that a purge may give back: slots, cached mappings, blocks freed in spans since the last look
    process dirty_bytes: Gauge = Totals::dirty_bytes;
    /// address space for blocks: SuperSlabs and large mappings
    process mapped_bytes: Gauge = Totals::mapped_bytes;
    /// memory given back to the kernel, each time it was
    process purged_bytes: Counter = Totals::purged_bytes;
    /// memory for the allocator's own records: their chunks, and the pages of the page map that are in use
    process metadata_bytes: Gauge = Totals::metadata_bytes;
    /// estimate from above of what of blocks and records is resident: pages never touched count as if they were
    process resident_bytes: Gauge = Totals::resident_bytes;
    /// the most mapped_bytes ever was
    process peak_mapped_bytes: Gauge = |_| level::MAPPED.peak();
    /// the most that spans and large blocks held at one time
    process peak_active_bytes: Gauge = |_| level::IN_USE.peak();
    /// heaps: one for each thread that allocates, and those that ended threads left
    heap heaps: Gauge = |totals| totals.heaps;
    /// heaps without a thread, to be adopted by new ones
    heap heaps_orphaned: Gauge = |totals| totals.orphans;
    /// times a magazine or FastCache was filled from spans
    heap refills: Counter = |totals| totals.events(Event::Refill);
    /// blocks that refills brought
    heap refilled_blocks: Counter = |totals| totals.events(Event::Refilled);
    /// times a magazine or cache was emptied into spans
    heap flushes: Counter = |totals| totals.events(Event::Flush);
    /// blocks that went back into spans, those freed by other threads included
    heap flushed_blocks: Counter = |totals| totals.events(Event::Flushed);
    /// full batches of blocks sent to the heap that owns them
    heap remote_sends: Counter = |totals| totals.events(Event::RemoteSend);
    /// blocks in those batches
    heap remote_sent_blocks: Counter = |totals| totals.events(Event::RemoteSent);
    /// blocks sent that their owner has not taken in yet, about; they count as live
    heap remote_pending_bytes: Gauge = |totals| totals.pending_bytes;
    /// times a magazine's capacity was doubled
    heap magazine_grows: Counter = |totals| totals.events(Event::Grow);
    /// frees by other threads that found no batch node and took the owner's lock
    heap nodes_ran_dry: Counter = |_| heap::ran_dry().get();
    /// tiny allocations through T-HEAP, at least: blocks that refills brought and no magazine holds
    tiny_heap tiny_allocs: Gauge = |totals| totals.tiny().map(ClassTotals::allocs).sum();
    /// of those, the ones that met a filled magazine
    tiny_heap tiny_hits: Gauge = |totals| totals.tiny().map(ClassTotals::hits).sum();
    /// mid allocations, at least, likewise
    pool_tls mid_allocs: Gauge = |totals| totals.mid().map(ClassTotals::allocs).sum();
    /// of those, the ones that met a filled magazine
    pool_tls mid_hits: Gauge = |totals| totals.mid().map(ClassTotals::hits).sum();
    /// spans that heaps own
    span spans: Gauge = |totals| totals.by_class().map(|(_, class)| class.spans).sum();
    /// spans taken from the shared pool
    span span_acquires: Counter = |totals| totals.events(Event::SpanAcquire);
    /// spans given back to the shared pool
    span span_releases: Counter = |totals| totals.events(Event::SpanRelease);
    /// blocks freed in spans and not looked through for whole free pages since
    span span_dirty_bytes: Gauge = |totals| totals.span_dirty_bytes;
    /// whole free pages given back inside spans
    span span_purged_bytes: Counter = |totals| totals.span_purged_bytes;
    /// bytes of pages in spans that went back, or that blocks longer than a page never used, and not handed out since
    span span_absent_bytes: Gauge = |totals| totals.span_gone_bytes;
    /// SuperSlabs that are mapped: full, partial and cached
    superslab superslabs: Gauge = |totals| totals.pool.superslabs;
    /// SuperSlabs without a free slot
    superslab superslabs_full: Gauge = |totals| totals.pool.full;
    /// SuperSlabs in use that have a free slot
    superslab superslabs_partial: Gauge =
        |totals| totals.pool.superslabs.saturating_sub(totals.pool.full + totals.pool.cached);
    /// SuperSlabs without a slot in use, kept for reuse
    superslab superslabs_cached: Gauge = |totals| totals.pool.cached;
    /// slots (64 KiB each) held by spans and large blocks
    superslab slots_active: Gauge = |totals| totals.pool.active;
    /// free slots with old bytes in them, cached SuperSlabs' included
    superslab slots_empty: Gauge = |totals| totals.pool.empty + totals.pool.cached_dirty;
    /// free slots without memory, in SuperSlabs in use
    superslab slots_unused: Gauge = |totals| totals.pool.unused;
    /// address space of SuperSlabs
    superslab pool_mapped_bytes: Gauge = |totals| totals.pool.mapped_bytes;
    /// slots given back to the kernel, each time they were
    superslab pool_purged_bytes: Counter = |totals| totals.pool.purged_bytes;
    /// slabs acquired from the lists of slots that their class used last (stage 1)
    superslab slabs_stage1: Counter = |totals| totals.pool.stages[0];
    /// slabs acquired from a SuperSlab in use (stage 2)
    superslab slabs_stage2: Counter = |totals| totals.pool.stages[1];
    /// slabs acquired from a cached or new SuperSlab (stage 3)
    superslab slabs_stage3: Counter = |totals| totals.pool.stages[2];
    /// slabs released
    superslab slabs_released: Counter = |totals| totals.pool.released;
    /// list entries for free slots dropped for want of a node
    superslab slot_hints_dropped: Counter = |totals| totals.pool.hints_dropped;
    /// large blocks that the program holds: above 1 MiB, or grown by realloc; in hardened mode above 64 KiB
    large large_live_blocks: Gauge = |totals| totals.large.live_blocks;
    /// bytes that those can hold
    large large_live_bytes: Gauge = |totals| totals.large.live_bytes;
    /// mappings of large blocks above 1 MiB, freed ones that are kept included
    large large_mapped_bytes: Gauge = |totals| totals.large.mapped_bytes;
    /// freed mappings kept for reuse
    large large_cached_bytes: Gauge = |totals| totals.large.cached_bytes;
    /// freed mappings given back to the kernel
    large large_purged_bytes: Counter = |totals| totals.large.purged_bytes;
    /// times that too much memory was dirty and some was purged
    front purges_over_bound: Counter = |_| reclaim::COUNTS.bound.get();
    /// times that a decay time was over and what nobody used was purged
    front purges_by_decay: Counter = |_| reclaim::COUNTS.decay.get();
    /// times that all was purged: by malloc_trim, hak_trim, or before a request fails
    front purges_of_all: Counter = |_| reclaim::COUNTS.all.get();
    /// memory that went by itself, and that the program took anew soon after
    front refault_bytes: Counter = |_| reclaim::COUNTS.missed_bytes.get();
    /// page faults of the process that needed no I/O
    os minor_faults: Counter = |totals| totals.usage.minor_faults;
    /// page faults of the process that needed I/O
    os major_faults: Counter = |totals| totals.usage.major_faults;
    /// the most memory the process ever had resident, whoever mapped it
    os peak_rss_bytes: Gauge = |totals| totals.usage.peak_rss_bytes;
    /// calls that gave pages back to the kernel and kept their addresses
    os purge_calls: Counter = |_| os::returns().0;
    /// ranges of pages in those
    os purge_ranges: Counter = |_| os::returns().1;
    /// mappings that closed pages take, hardened: at most a quarter of vm.max_map_count
    os closed_mappings: Gauge = |_| os::closed::figures().0;
    /// SuperSlabs and large blocks, hardened, that got no closed pages for want of room
    os closed_missing: Counter = |_| os::closed::figures().1;
}

// What each class shows besides its number, its block size and its utilisation, which is live / blocks.
rows! {
    BY_CLASS[COLUMNS] by of_class(ClassTotals):
    /// spans of the class
    class spans: Gauge = |class| class.spans;
    /// blocks that those have
    class blocks: Gauge = |class| class.blocks;
    /// blocks that the program holds
    class live: Gauge = ClassTotals::live;
    /// free blocks in magazines, and in the calling thread's baseline caches
    class cached: Gauge = |class| class.cached;
    /// free blocks in spans
    class free: Gauge = |class| class.free;
    /// allocations that met a filled magazine, at least
    class hits: Gauge = ClassTotals::hits;
    /// times a magazine was filled from spans
    class refills: Counter = |class| class.event(Event::Refill);
    /// blocks that refills brought
    class refilled: Counter = |class| class.event(Event::Refilled);
    /// times a magazine was emptied into spans
    class flushes: Counter = |class| class.event(Event::Flush);
    /// blocks that went back into spans, those freed by other threads included
    class flushed: Counter = |class| class.event(Event::Flushed);
    /// full batches of blocks sent to the heap that owns them
    class sends: Counter = |class| class.event(Event::RemoteSend);
    /// blocks in those
    class sent: Counter = |class| class.event(Event::RemoteSent);
    /// times a magazine's capacity was doubled
    class grows: Counter = |class| class.event(Event::Grow);
    /// spans taken from the shared pool
    class acquires: Counter = |class| class.event(Event::SpanAcquire);
    /// spans given back to the shared pool
    class releases: Counter = |class| class.event(Event::SpanRelease);
}

const _: () = assert!(GRANULE == 64 << 10, "the help texts say what a slot has");

/// All rows' values.
pub(crate) fn values(totals: &Totals) -> [u64; ROWS] {
    let mut values = [0; ROWS];
    for (value, row) in values.iter_mut().zip(&TABLE) {
        *value = row.value(totals);
    }
    values
}

/// All rows' names and what they mean.
#[cfg(test)]
pub(crate) fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.iter().map(|row| (row.name(), row.help()))
}
