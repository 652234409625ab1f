//! Where pointers may be: in blocks, and in what else of the process's memory can be written. Nowhere else, and not in the library's own
//! records: those know all blocks, and keep none alive.

use super::blocks::Blocks;
use crate::library;
use crate::remote::Remote;
use crate::remote::heaps::Heap;
use crate::remote::large::Large;
use crate::remote::maps::Mapping;
use crate::remote::page_map::Entry;
use crate::remote::spans::Spans;

/// Memory to look through, and of a block's its run: base, size of a block, number of the first.
#[derive(Clone, Copy)]
pub(crate) struct Range {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) run: Option<(u64, u64, u32)>,
}

/// Bytes below the stack pointer that a function may use.
const RED_ZONE: u64 = 128;
const SLAB: u64 = 2 << 20;

/// What the library has.
pub(crate) struct Own<'a> {
    pub(crate) remote: &'a Remote,
    pub(crate) maps: &'a [Mapping],
    pub(crate) entries: &'a [Entry],
    pub(crate) spans: &'a Spans,
    pub(crate) heaps: &'a [Heap],
    pub(crate) large: &'a [Large],
}

pub(crate) fn of_blocks(blocks: &Blocks) -> Vec<Range> {
    blocks.runs().map(|(start, end, size, first)| Range { start, end, run: Some((start, size, first)) }).collect()
}

/// All else that can be written, stacks from their pointer on.
pub(crate) fn of_roots(own: &Own, stack_pointers: &[u64]) -> Vec<Range> {
    let mut not = own.memory();
    for &pointer in stack_pointers {
        if let Some(stack) = own.maps.iter().find(|mapping| mapping.holds(pointer)) {
            not.push((stack.start, pointer.saturating_sub(RED_ZONE).max(stack.start) & !7));
        }
    }
    not.sort_unstable();
    let mut ranges = Vec::new();
    for mapping in own.maps.iter().filter(|mapping| may_point(mapping)) {
        let mut start = mapping.start;
        let first = not.partition_point(|range| range.0 < mapping.start);
        // One that began before may reach into it; of overlapping ones the longest counts, which a running start does.
        let before = not.iter().take(first).map(|range| range.1).max().unwrap_or(0);
        start = start.max(before.min(mapping.end));
        for &(from, to) in not.iter().skip(first).take_while(|range| range.0 < mapping.end) {
            if from > start {
                ranges.push(Range { start, end: from, run: None });
            }
            start = start.max(to.min(mapping.end));
        }
        if start < mapping.end {
            ranges.push(Range { start, end: mapping.end, run: None });
        }
    }
    ranges
}

/// Code and constants of files hold no address of a block, and what is shared with others may be as large as a disk.
fn may_point(mapping: &Mapping) -> bool {
    mapping.read && !mapping.is_special() && !mapping.shared && (mapping.write || mapping.name.is_empty())
}

impl Own<'_> {
    /// The library's: blocks in use or not, records, tables, its own data.
    fn memory(&self) -> Vec<(u64, u64)> {
        let (remote, layout) = (self.remote, &self.remote.layout);
        let granule = layout.granule.max(1);
        let mut all: Vec<(u64, u64)> = remote.pool().slabs.iter().map(|&base| (base, base + SLAB)).collect();
        all.extend(self.large.iter().map(|large| (large.base, large.base + large.bytes.next_multiple_of(granule))));
        // Freed large blocks that wait: granule and granules.
        let seats = remote.memory.words(layout.seats_at, layout.seats.min(1 << 20) as usize).unwrap_or_default();
        all.extend(seats.iter().filter(|&&seat| seat != 0).map(|&seat| {
            let at = (seat >> 32) * granule;
            (at, at + (seat & 0xffff_ffff) * granule)
        }));
        let tables = [
            (layout.profile_at, layout.profile_bytes),
            (layout.profile_stacks_at, layout.profile_stacks_bytes),
            (layout.trace_at, layout.trace_bytes),
        ];
        for (at, bytes) in tables {
            let at = remote.memory.word(at).unwrap_or(0);
            if at != 0 {
                all.push((at, at + bytes));
            }
        }
        // Leaves of the page map by themselves: the first lies in the library's data, which may be the program's.
        let entries = layout.leaf_entries * layout.entry_size;
        let leaf = entries.max(layout.leaf_pages + entries.div_ceil(remote.page_size.max(1)) * 4);
        all.extend(remote.leaves(self.maps).into_iter().map(|at| (at, at + leaf)));
        all.extend(self.mappings());
        all
    }

    /// Mappings that are the library's; of the one that its data ends in, so much as is. What lies behind may be anybody's: the kernel puts the
    /// next mapping there, such as the thread-local variables of main, and may make one of both.
    fn mappings(&self) -> impl Iterator<Item = (u64, u64)> {
        let records = self.records();
        let mut image_end = 0;
        self.maps.iter().enumerate().filter_map(move |(index, mapping)| {
            let is_library = library::is_hakmem(std::path::Path::new(&mapping.name));
            if is_library && mapping.offset == 0 {
                image_end = self.image_end(mapping.start).unwrap_or(0);
            }
            if mapping.name.is_empty() && mapping.start < image_end {
                return Some((mapping.start, mapping.end.min(image_end)));
            }
            let first = records.partition_point(|&record| record < mapping.start);
            let has_record = records.get(first).is_some_and(|&record| record < mapping.end);
            let named = mapping.name == "[anon:hakmem: records]" || mapping.name == "[anon:hakmem: profile]";
            (is_library || named || has_record || self.is_chunk(index)).then_some((mapping.start, mapping.end))
        })
    }

    /// Where the memory of the ELF image ends whose first page is at `base`.
    fn image_end(&self, base: u64) -> Option<u64> {
        const HEADER: u64 = 56;
        const LOAD: u64 = 1;
        let memory = &self.remote.memory;
        let (headers, count) = (base + memory.word(base + 32)?, memory.word(base + 56)? & 0xffff);
        let ends = (0..count).filter_map(|index| match memory.words(headers + index * HEADER, 6)?[..] {
            [kind, _, at, _, _, len] if kind & 0xffff_ffff == LOAD => Some(base + at + len),
            _ => None,
        });
        Some(ends.max()?.next_multiple_of(self.remote.page_size.max(1)))
    }

    /// Whether it looks as one of `meta`'s chunks does: between guard pages, so large with them that it is a power of two.
    fn is_chunk(&self, index: usize) -> bool {
        let page = self.remote.page_size;
        let guard = |index: Option<usize>| {
            let mapping = index.and_then(|index| self.maps.get(index));
            mapping.is_some_and(|mapping| !mapping.read && !mapping.write && mapping.name.is_empty())
        };
        let Some(mapping) = self.maps.get(index).filter(|mapping| mapping.write && mapping.name.is_empty()) else {
            return false;
        };
        let whole = mapping.len() + 2 * page;
        let stacks = self.heaps.iter().any(|heap| mapping.holds(heap.word));
        whole.is_power_of_two()
            && (1 << 16..=1 << 20).contains(&whole)
            && !stacks
            && guard(index.checked_sub(1))
            && guard(Some(index + 1))
    }

    /// Addresses of records, ascending.
    fn records(&self) -> Vec<u64> {
        let of_entries = self.entries.iter().map(|entry| entry.record).filter(|&record| record > 1 << 32);
        let of_spans = self.spans.list.iter().map(|span| span.record);
        let of_heaps = self.heaps.iter().flat_map(|heap| heap.arrays.iter().copied().chain([heap.at]));
        let mut all: Vec<u64> = of_entries.chain(of_spans).chain(of_heaps).collect();
        all.sort_unstable();
        all
    }
}
