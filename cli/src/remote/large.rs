//! Large blocks, and the pool: what has no span.

use super::Remote;
use super::bytes::{u32_at, u64_at};
use super::page_map::Entry;

/// A large block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Large {
    pub(crate) base: u64,
    /// What the program may use of it.
    pub(crate) bytes: u64,
    /// Whether it is freed and waits for the next request of its size.
    pub(crate) waits: bool,
}

/// What the pool of SuperSlabs has.
#[derive(Default)]
pub(crate) struct Pool {
    /// Free slots with old bytes in them, of SuperSlabs in use.
    pub(crate) empty: Vec<u64>,
    /// Where SuperSlabs begin.
    pub(crate) slabs: Vec<u64>,
    /// Bytes of free slots with old bytes in cached SuperSlabs, and of cached mappings of large blocks: the most that is resident of those.
    pub(crate) kept_bytes: u64,
    pub(crate) mapped_bytes: u64,
    /// Slots that spans and runs hold, in bytes.
    pub(crate) active_bytes: u64,
}

const SLOTS: u32 = 32;

impl Remote {
    /// Those that `entries` name.
    pub(crate) fn large(&self, entries: &[Entry]) -> Vec<Large> {
        let layout = &self.layout;
        let has_record = |entry: &&Entry| [layout.tag_large, layout.tag_fenced, layout.tag_waits].contains(&entry.tag);
        let with: Vec<&Entry> = entries.iter().filter(has_record).collect();
        let len = (layout.large_base.max(layout.large_bytes).max(layout.large_size) + 8) as usize;
        let ranges: Vec<(u64, usize)> = with.iter().map(|entry| (entry.record, len)).collect();
        let bytes = self.memory.read_many(&ranges);
        let mut all = Vec::new();
        for (entry, record) in with.iter().zip(bytes.chunks_exact(len)) {
            let base = u64_at(record, layout.large_base as usize);
            if base == entry.at {
                let bytes = u64_at(record, layout.large_size as usize);
                all.push(Large { base, bytes, waits: entry.tag == layout.tag_waits });
            }
        }
        for entry in entries.iter().filter(|entry| entry.tag == layout.tag_reserve_large) {
            all.push(Large { base: entry.at, bytes: entry.record, waits: false });
        }
        // Granules of the reserve: of so many blocks in use it is not known which.
        let shifts = layout.tag_reserve..layout.tag_reserve + 64;
        for entry in entries.iter().filter(|entry| shifts.contains(&entry.tag)) {
            let used = (entry.record & 0x7fff_ffff) << (entry.tag - layout.tag_reserve);
            all.push(Large { base: entry.at, bytes: used.min(layout.granule), waits: false });
        }
        all.sort_by_key(|large| large.base);
        all
    }

    pub(crate) fn pool(&self) -> Pool {
        let layout = &self.layout;
        let mut pool = Pool::default();
        let chunk_bytes = (layout.chunk_slabs * layout.slab_size) as usize;
        // Filled from the first on: a page of the table at a time.
        let mut empty_slots = 0;
        'table: for first in (0..layout.chunks).step_by(512) {
            let count = 512.min(layout.chunks - first) as usize;
            let Some(chunks) = self.memory.words(layout.chunks_at + first * 8, count) else { break };
            let full = chunks.iter().take_while(|&&chunk| chunk != 0).count();
            let ranges: Vec<(u64, usize)> = chunks.iter().take(full).map(|&chunk| (chunk, chunk_bytes)).collect();
            for slab in self.memory.read_many(&ranges).chunks_exact(layout.slab_size as usize) {
                let word = u64_at(slab, layout.slab_word as usize);
                let base = u64_at(slab, layout.slab_base as usize);
                if word == u64::MAX || base == 0 {
                    continue;
                }
                pool.slabs.push(base);
                let absent = u32_at(slab, layout.slab_absent as usize);
                let (active, empty) = (word as u32 & !absent, (word >> 32) as u32);
                pool.active_bytes += u64::from(active.count_ones()) * layout.granule;
                empty_slots += u64::from(empty.count_ones());
                let slots = (0..SLOTS).filter(|slot| empty >> slot & 1 == 1);
                pool.empty.extend(slots.map(|slot| base + u64::from(slot) * layout.granule));
            }
            if full < count {
                break 'table;
            }
        }
        let word = |at: u64| self.memory.word(at).unwrap_or(0);
        let in_use = (word(layout.large_in_use_at) & 0xffff_ffff) * layout.granule;
        let cached = word(layout.large_mapped_at).saturating_sub(in_use);
        pool.kept_bytes = cached + word(layout.pool_dirty_at).saturating_sub(empty_slots) * layout.granule;
        pool.mapped_bytes = word(layout.pool_mapped_at) + word(layout.large_mapped_at);
        pool.empty.sort_unstable();
        pool
    }
}
