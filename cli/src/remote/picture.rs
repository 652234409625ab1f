//! `Picture`: all that the library holds at one moment, and what of it is resident, and why.

use std::collections::BTreeSet;

use super::Remote;
use super::heaps::Heap;
use super::large::{Large, Pool};
use super::maps::{self, Mapping};
use super::memory::Memory;
use super::resident::Residency;
use super::spans::{Span, Spans};
use crate::error::Result;

pub(crate) struct Picture {
    pub(crate) spans: Spans,
    pub(crate) heaps: Vec<Heap>,
    pub(crate) large: Vec<Large>,
    pub(crate) pool: Pool,
    pub(crate) maps: Vec<Mapping>,
    leaves: Vec<u64>,
}

/// One class's blocks, in blocks and bytes.
#[derive(Clone, Default)]
pub(crate) struct ClassFigures {
    pub(crate) block_size: u64,
    pub(crate) spans: u64,
    pub(crate) blocks: u64,
    pub(crate) live: u64,
    pub(crate) free: u64,
    pub(crate) cached: u64,
    pub(crate) remote: u64,
    /// Bytes of its live blocks that were not asked for, about: half of what their requests can be short of them.
    pub(crate) rounding: u64,
    pub(crate) resident: ClassResident,
}

/// What of a class's spans is resident, by what it is for.
#[derive(Clone, Copy, Default)]
pub(crate) struct ClassResident {
    pub(crate) live: u64,
    /// Blocks in magazines and batches.
    pub(crate) cached: u64,
    /// Free blocks on pages that a live block keeps.
    pub(crate) pinned: u64,
    /// Free blocks on pages that only a block in a magazine or batch keeps.
    pub(crate) held: u64,
    /// Free blocks on pages that nothing keeps.
    pub(crate) loose: u64,
    /// What no block has: the ends of spans.
    pub(crate) ends: u64,
}

impl ClassResident {
    pub(crate) fn free(&self) -> u64 {
        self.pinned + self.held + self.loose
    }

    pub(crate) fn all(&self) -> u64 {
        self.live + self.cached + self.free() + self.ends
    }
}

/// One heap's blocks, in bytes.
#[derive(Clone, Copy, Default)]
pub(crate) struct HeapFigures {
    pub(crate) live: u64,
    pub(crate) cached: u64,
    pub(crate) free: u64,
    pub(crate) remote: u64,
}

/// What is resident beside blocks, by the mappings it lies in.
#[derive(Clone, Copy, Default)]
pub(crate) struct Beside {
    pub(crate) metadata: u64,
    pub(crate) stacks: u64,
    pub(crate) files: u64,
    /// brk's heap: the program's own, or libc's before the library was there.
    pub(crate) brk: u64,
}

/// All that is resident in a process, each byte once.
#[derive(Clone, Default)]
pub(crate) struct Split {
    /// As the kernel counts it; of a core file, what is in it.
    pub(crate) rss: u64,
    /// Blocks of the program, rounding included.
    pub(crate) live: u64,
    pub(crate) live_large: u64,
    /// Of those, what was not asked for, as far as can be told.
    pub(crate) rounding: u64,
    pub(crate) rounding_is_known: bool,
    pub(crate) cached: u64,
    pub(crate) pinned: u64,
    pub(crate) held: u64,
    pub(crate) loose: u64,
    /// Free slots of the pool.
    pub(crate) slots: u64,
    /// Freed mappings and SuperSlabs that are kept.
    pub(crate) kept: u64,
    pub(crate) beside: Beside,
    pub(crate) other: u64,
}

impl Split {
    pub(crate) fn free(&self) -> u64 {
        self.pinned + self.held + self.loose
    }

    pub(crate) fn dirty(&self) -> u64 {
        self.slots + self.kept
    }
}

impl Picture {
    pub(crate) fn take(remote: &Remote) -> Result<Picture> {
        let maps = remote.maps()?;
        let entries = remote.entries(&maps);
        let mut spans = remote.spans(&entries);
        let heaps = remote.heaps(&mut spans);
        let large = remote.large(&entries);
        let leaves = remote.leaves(&maps);
        Ok(Picture { spans, heaps, large, pool: remote.pool(), maps, leaves })
    }

    /// Blocks by class.
    pub(crate) fn by_class(&self, remote: &Remote) -> Vec<ClassFigures> {
        let blank = |class: &super::Class| ClassFigures { block_size: class.block_size, ..ClassFigures::default() };
        let mut all: Vec<ClassFigures> = remote.classes.iter().map(blank).collect();
        for span in &self.spans.list {
            let counts = self.spans.count(span, 0, span.capacity);
            let Some(class) = all.get_mut(span.class) else { continue };
            class.spans += 1;
            class.blocks += u64::from(span.capacity);
            class.live += u64::from(counts.live);
            class.free += u64::from(counts.free);
            class.cached += u64::from(counts.cached);
            class.remote += u64::from(counts.remote);
        }
        // Half of what a request can be short of its block, which is what it is on average where all sizes are as likely.
        let mut smaller = 0;
        for class in &mut all {
            class.rounding = class.live * (class.block_size - smaller).saturating_sub(1) / 2;
            smaller = class.block_size;
        }
        all
    }

    /// Blocks by heap, in the order of `heaps`.
    pub(crate) fn by_heap(&self) -> Vec<HeapFigures> {
        let index: std::collections::HashMap<u64, usize> =
            self.heaps.iter().enumerate().map(|(index, heap)| (heap.at, index)).collect();
        let mut all = vec![HeapFigures::default(); self.heaps.len()];
        for span in &self.spans.list {
            let counts = self.spans.count(span, 0, span.capacity);
            let Some(heap) = index.get(&span.owner).and_then(|&index| all.get_mut(index)) else { continue };
            heap.live += u64::from(counts.live) * span.block_size;
            heap.cached += u64::from(counts.cached) * span.block_size;
            heap.free += u64::from(counts.free) * span.block_size;
            heap.remote += u64::from(counts.remote) * span.block_size;
        }
        all
    }

    /// Bytes and number of the large blocks that the program holds.
    pub(crate) fn large_live(&self) -> (u64, u64) {
        let live = self.large.iter().filter(|large| !large.waits);
        live.fold((0, 0), |(bytes, blocks), large| (bytes + large.bytes, blocks + 1))
    }

    /// Bytes of live blocks of classes that were not asked for: known where the process is hardened; else an estimate.
    fn rounding(&self, classes: &[ClassFigures]) -> (u64, bool) {
        match self.spans.slack {
            Some(slack) => (slack, true),
            None => (classes.iter().map(|class| class.rounding).sum(), false),
        }
    }

    /// Looks at every page of blocks. `classes` gets what is resident of each; `beside`: what the mappings held when somebody last looked at
    /// all of them, which takes the kernel longer than all else where there are thousands.
    pub(crate) fn split(
        &mut self,
        remote: &Remote,
        classes: &mut [ClassFigures],
        beside: Option<Beside>,
    ) -> Result<Split> {
        let mut split = Split::default();
        let mut residency = Residency::new(&remote.memory, remote.page_size);
        for span in &self.spans.list {
            let resident = self.span_resident(span, remote.page_size, &mut residency);
            if let Some(class) = classes.get_mut(span.class) {
                add(&mut class.resident, &resident);
            }
        }
        for large in &self.large {
            // Of a damaged record, no more than is there.
            let there = (maps::end_from(&self.maps, large.base) - large.base).min(remote.memory.most());
            let bytes = residency.bytes(large.base, large.bytes.min(there));
            *(if large.waits { &mut split.kept } else { &mut split.live_large }) += bytes;
        }
        for &slot in &self.pool.empty {
            split.slots += residency.bytes(slot, remote.layout.granule);
        }
        for class in classes.iter() {
            split.live += class.resident.live + class.resident.ends;
            split.cached += class.resident.cached;
            split.pinned += class.resident.pinned;
            split.held += class.resident.held;
            split.loose += class.resident.loose;
        }
        let rounding = self.rounding(classes);
        // Blocks that were never touched have no rounding that is resident.
        split.rounding = rounding.0.min(split.live);
        split.rounding_is_known = rounding.1;
        split.live += split.live_large;
        let process = remote.memory.process();
        (split.beside, split.rss) = match (beside, process.and_then(maps::resident_about)) {
            (Some(beside), Some(rss)) => (beside, rss),
            _ => {
                match process {
                    Some(pid) => self.maps = maps::with_residency(pid)?,
                    None => self.look_at_mappings(remote, &mut residency),
                }
                self.beside(remote)
            }
        };
        let held = split.live + split.cached + split.free() + split.dirty();
        let beside = &split.beside;
        // What is left is in mappings without a name: the library's that it keeps, up to what it says it does, then others'.
        let left = split.rss.saturating_sub(held + beside.metadata + beside.stacks + beside.files + beside.brk);
        let kept = left.min(self.pool.kept_bytes.saturating_sub(split.kept));
        split.kept += kept;
        split.other = left - kept;
        Ok(split)
    }

    /// What a core file has of each mapping; files that are only read are as good as not there.
    fn look_at_mappings(&mut self, remote: &Remote, residency: &mut Residency) {
        let Memory::Core(core) = &remote.memory else { return };
        for mapping in &mut self.maps {
            mapping.rss = if mapping.is_file() && !mapping.write {
                0
            } else {
                residency.bytes(mapping.start, core.kept(mapping.start))
            };
        }
    }

    /// What is no block's, by the mappings it lies in, and what all of them come to.
    fn beside(&self, remote: &Remote) -> (Beside, u64) {
        let mut beside = Beside::default();
        let records: BTreeSet<u64> = self.records(remote).collect();
        let stacks: BTreeSet<u64> = self.heaps.iter().map(|heap| heap.word).filter(|&word| word != 0).collect();
        let large = self.large.iter().map(|large| large.base);
        let blocks: BTreeSet<u64> = self.spans.list.iter().map(|span| span.base).chain(large).collect();
        let has = |set: &BTreeSet<u64>, mapping: &Mapping| set.range(mapping.start..mapping.end).next().is_some();
        let mut behind_library = 0;
        for mapping in &self.maps {
            let is_library = crate::library::is_hakmem(std::path::Path::new(&mapping.name));
            let is_bss = mapping.start == behind_library && mapping.name.is_empty();
            if is_library {
                behind_library = mapping.end;
            }
            match mapping.name.as_str() {
                _ if is_library && !mapping.write => beside.files += mapping.rss,
                _ if is_library || is_bss => beside.metadata += mapping.rss,
                // Mappings without names that touch are one to the kernel: what else is in it is not known.
                "" if has(&blocks, mapping) => {}
                "" if has(&records, mapping) => beside.metadata += mapping.rss,
                "" if has(&stacks, mapping) => beside.stacks += mapping.rss,
                "[anon:hakmem: records]" | "[anon:hakmem: profile]" => beside.metadata += mapping.rss,
                "[heap]" => beside.brk += mapping.rss,
                name if name.starts_with("[stack") => beside.stacks += mapping.rss,
                name if name.starts_with('/') => beside.files += mapping.rss,
                _ => {}
            }
        }
        (beside, self.maps.iter().map(|mapping| mapping.rss).sum())
    }

    /// Addresses of records, one in each mapping that has any, and more.
    fn records<'a>(&'a self, remote: &'a Remote) -> impl Iterator<Item = u64> + 'a {
        let of_spans = self.spans.list.iter().map(|span| span.record);
        let of_heaps = self.heaps.iter().flat_map(|heap| heap.arrays.iter().copied().chain([heap.at]));
        let tables = [remote.layout.root_at, remote.layout.chunks_at];
        of_spans.chain(of_heaps).chain(self.leaves.iter().copied()).chain(tables)
    }

    fn span_resident(&self, span: &Span, page: u64, residency: &mut Residency) -> ClassResident {
        let mut sum = ClassResident::default();
        let used = u64::from(span.capacity) * span.block_size;
        let end = span.base + used.next_multiple_of(page);
        let mut at = span.base;
        while at < end {
            if residency.is(at) {
                self.page_resident(span, at - span.base, (at - span.base + page).min(used), &mut sum);
                sum.ends += (at + page).saturating_sub(span.base + used).min(page);
            }
            at += page;
        }
        sum
    }

    /// One resident page, the bytes `from .. to` of the span.
    fn page_resident(&self, span: &Span, from: u64, to: u64, sum: &mut ClassResident) {
        let size = span.block_size;
        let (first, last) = ((from / size) as u32, to.div_ceil(size) as u32);
        let counts = self.spans.count(span, first, last);
        let bytes = |blocks: u32| u64::from(blocks) * size;
        let (mut live, mut cached, mut free) =
            (bytes(counts.live), bytes(counts.cached + counts.remote), bytes(counts.free));
        // Blocks at the edges lie in this page in part.
        let before = from - u64::from(first) * size;
        let after = u64::from(last) * size - to;
        for (block, outside) in [(first, before), (last - 1, after)] {
            match self.spans.held(span, block) {
                super::spans::Held::Live => live -= outside,
                super::spans::Held::Free => free -= outside,
                _ => cached -= outside,
            }
        }
        sum.live += live;
        sum.cached += cached;
        *(if live > 0 {
            &mut sum.pinned
        } else if cached > 0 {
            &mut sum.held
        } else {
            &mut sum.loose
        }) += free;
    }
}

fn add(sum: &mut ClassResident, more: &ClassResident) {
    sum.live += more.live;
    sum.cached += more.cached;
    sum.pinned += more.pinned;
    sum.held += more.held;
    sum.loose += more.loose;
    sum.ends += more.ends;
}
