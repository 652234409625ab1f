//! Every block by number, so that what is said of it is a bit or a word; and which one an address lies in.

use std::collections::BTreeMap;

use crate::remote::large::Large;
use crate::remote::spans::Spans;

/// A run of equal blocks: a span's, or one large block.
struct Run {
    base: u64,
    size: u64,
    count: u32,
    /// The number of its first block: a multiple of 64.
    first: u32,
}

pub(crate) struct Blocks {
    runs: Vec<Run>,
    /// Of each 4 GiB of addresses, the run that each granule lies in, and 1; 0: none.
    granules: Vec<(u64, Vec<u32>)>,
    granule: u64,
    live: Bits,
    pub(crate) count: u32,
    /// The addresses that blocks lie between.
    pub(crate) low: u64,
    pub(crate) high: u64,
}

/// A bit for each block.
#[derive(Clone)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    pub(crate) fn new(count: u32) -> Bits {
        Bits(vec![0; count.div_ceil(64) as usize])
    }

    pub(crate) fn get(&self, number: u32) -> bool {
        self.0.get((number / 64) as usize).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// Whether it was not set before.
    pub(crate) fn set(&mut self, number: u32) -> bool {
        let Some(word) = self.0.get_mut((number / 64) as usize) else { return false };
        let bit = 1 << (number % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}

impl Blocks {
    /// `None`: there are more than have numbers.
    pub(crate) fn new(spans: &Spans, large: &[Large], granule: u64) -> Option<Blocks> {
        let mut runs = Vec::new();
        let mut first = 0_u32;
        for span in &spans.list {
            runs.push(Run { base: span.base, size: span.block_size, count: span.capacity, first });
            first = first.checked_add(span.capacity.checked_next_multiple_of(64)?)?;
        }
        let of_spans = runs.len();
        for large in large.iter().filter(|large| !large.waits && large.bytes > 0) {
            runs.push(Run { base: large.base, size: large.bytes, count: 1, first });
            first = first.checked_add(64)?;
        }
        let mut live = Bits::new(first);
        for (span, run) in spans.list.iter().zip(&runs) {
            for (word, slot) in (0..).zip(live.0.iter_mut().skip(run.first as usize / 64)) {
                if word * 64 >= span.capacity {
                    break;
                }
                *slot = spans.live_word(span, word);
            }
        }
        runs.iter().skip(of_spans).for_each(|run| {
            live.set(run.first);
        });
        let low = runs.iter().map(|run| run.base).min().unwrap_or(u64::MAX);
        let high = runs.iter().map(Run::end).max().unwrap_or(0);
        let mut blocks = Blocks { runs, granules: Vec::new(), granule, live, count: first, low, high };
        blocks.enter();
        Some(blocks)
    }

    fn enter(&mut self) {
        let per_table = (1 << 32) / self.granule.max(1);
        let mut granules: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for (number, run) in (1..).zip(&self.runs) {
            for granule in run.base / self.granule..run.end().div_ceil(self.granule) {
                let table = granules.entry(granule / per_table).or_insert_with(|| vec![0; per_table as usize]);
                if let Some(slot) = table.get_mut((granule % per_table) as usize) {
                    *slot = number;
                }
            }
        }
        self.granules = granules.into_iter().collect();
    }

    /// The live block that holds an address, if one does.
    pub(crate) fn at(&self, address: u64) -> Option<u32> {
        if !(self.low..self.high).contains(&address) {
            return None;
        }
        let granule = (address & 0xffff_ffff) / self.granule;
        // There are few: a heap lies together.
        let (_, table) = self.granules.iter().find(|(upper, _)| *upper == address >> 32)?;
        let number = *table.get(granule as usize)?;
        let run = self.runs.get(number.checked_sub(1)? as usize)?;
        let block = u32::try_from(address.checked_sub(run.base)? / run.size).ok()?;
        let number = run.first + block;
        (block < run.count && self.live.get(number)).then_some(number)
    }

    /// The address and the size of a block.
    pub(crate) fn place(&self, number: u32) -> (u64, u64) {
        let after = self.runs.partition_point(|run| run.first <= number);
        match self.runs.get(after.wrapping_sub(1)) {
            Some(run) => (run.base + u64::from(number - run.first) * run.size, run.size),
            None => (0, 0),
        }
    }

    /// Runs that have live blocks: where each begins and ends, the size of its blocks, and the number of the first.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (u64, u64, u64, u32)> {
        self.runs
            .iter()
            .filter(|run| run.count > 1 || self.live.get(run.first))
            .map(|run| (run.base, run.end(), run.size, run.first))
    }

    pub(crate) fn is_live(&self, number: u32) -> bool {
        self.live.get(number)
    }

    pub(crate) fn live(&self) -> impl Iterator<Item = u32> {
        let words = (0..).zip(&self.live.0).filter(|(_, word)| **word != 0);
        words
            .flat_map(|(index, &word)| (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| index * 64 + bit))
    }
}

impl Run {
    fn end(&self) -> u64 {
        self.base + self.size * u64::from(self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_blocks_are_found_by_any_address_within() {
        let large = |base, bytes, waits| Large { base, bytes, waits };
        let large = [
            large(0x1_0000_0000, 300_000, false),
            large(0x2_0000_0000, 70_000, true),
            large(0x3_fff0_0000, 0x20_0000, false),
        ];
        let blocks = Blocks::new(&Spans::default(), &large, 65536).unwrap();
        assert_eq!(blocks.live().collect::<Vec<_>>(), [0, 64]);
        assert_eq!((blocks.at(0x1_0000_0000), blocks.at(0x1_0000_0000 + 299_999)), (Some(0), Some(0)));
        assert_eq!(
            (blocks.at(0x1_0000_0000 + 300_000), blocks.at(0xffff_ffff), blocks.at(0x2_0000_0000)),
            (None, None, None)
        );
        // Over the border of a table.
        assert_eq!((blocks.at(0x4_000f_ffff), blocks.place(64)), (Some(64), (0x3_fff0_0000, 0x20_0000)));
    }
}
