//! The page map, walked: every granule that is a block's, with what it is and where its record lies.

use std::collections::BTreeSet;

use super::Remote;
use super::bytes::{u32_at, u64_at};
use super::maps::Mapping;

/// What is entered for one granule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// The granule's address.
    pub(crate) at: u64,
    pub(crate) tag: u64,
    pub(crate) record: u64,
}

/// Each page's word counts so many bits of entries, first the leaf's own, then the spare's.
const COUNT_BITS: u32 = 13;
const COUNT: u32 = (1 << COUNT_BITS) - 1;

impl Remote {
    /// All entries, by ascending address. `maps`: what is mapped; only there can any be.
    pub(crate) fn entries(&self, maps: &[Mapping]) -> Vec<Entry> {
        let layout = &self.layout;
        let reach = layout.leaf_entries * layout.granule;
        if reach == 0 || layout.entry_size < 16 {
            return Vec::new();
        }
        let mut wanted = BTreeSet::new();
        for mapping in maps.iter().filter(|mapping| mapping.write && !mapping.is_file()) {
            wanted.extend(mapping.start / reach..=(mapping.end - 1) / reach);
        }
        let wanted: Vec<u64> = wanted.into_iter().filter(|&index| index < layout.root_words).collect();
        let ranges: Vec<(u64, usize)> = wanted.iter().map(|index| (layout.root_at + index * 8, 8)).collect();
        let root = self.memory.read_many(&ranges);
        let mut entries = Vec::new();
        for (index, leaf) in wanted.iter().zip(root.chunks_exact(8).map(|word| u64_at(word, 0))) {
            if leaf != 0 {
                self.walk_leaf(leaf, index * reach, &mut entries);
            }
        }
        entries
    }

    /// Where leaves and their spares are.
    pub(crate) fn leaves(&self, maps: &[Mapping]) -> Vec<u64> {
        let layout = &self.layout;
        let reach = (layout.leaf_entries * layout.granule).max(1);
        let indexes: BTreeSet<u64> =
            maps.iter().flat_map(|mapping| [mapping.start / reach, (mapping.end - 1) / reach]).collect();
        let leaf = |index: &u64| self.memory.word(layout.root_at + index * 8).filter(|&leaf| leaf != 0);
        let leaves: Vec<u64> = indexes.iter().filter(|&&index| index < layout.root_words).filter_map(leaf).collect();
        let spares =
            leaves.iter().filter_map(|leaf| self.memory.word(leaf + layout.leaf_spare)).filter(|&spare| spare != 0);
        leaves.iter().copied().chain(spares).collect()
    }

    fn walk_leaf(&self, leaf: u64, start: u64, entries: &mut Vec<Entry>) {
        let layout = &self.layout;
        let per_page = (self.page_size / layout.entry_size).max(1);
        let pages = layout.leaf_entries.div_ceil(per_page) as usize;
        let spare = self.memory.word(leaf + layout.leaf_spare).unwrap_or(0);
        let Some(words) = self.memory.read(leaf + layout.leaf_pages, pages * 4) else { return };
        let page_bytes = per_page * layout.entry_size;
        let mut ranges = Vec::new();
        let mut starts = Vec::new();
        for page in 0..pages as u64 {
            let word = u32_at(&words, page as usize * 4);
            for (side, count) in [(leaf, word & COUNT), (spare, word >> COUNT_BITS & COUNT)] {
                if side != 0 && count > 0 {
                    ranges.push((side + page * page_bytes, page_bytes as usize));
                    starts.push(start + page * per_page * layout.granule);
                }
            }
        }
        let bytes = self.memory.read_many(&ranges);
        let size = layout.entry_size as usize;
        let before = entries.len();
        for (page, start) in bytes.chunks_exact(page_bytes as usize).zip(starts) {
            for (index, entry) in page.chunks_exact(size).enumerate() {
                let tag = u64_at(entry, layout.entry_tag as usize);
                if tag != 0 {
                    let record = u64_at(entry, layout.entry_record as usize);
                    entries.push(Entry { at: start + index as u64 * layout.granule, tag, record });
                }
            }
        }
        if let Some(new) = entries.get_mut(before..) {
            new.sort_by_key(|entry| entry.at);
        }
    }
}
