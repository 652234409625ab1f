//! Spans and what each of their blocks is: the program's, free, or waiting in a magazine or a batch.

use std::collections::HashMap;

use super::Remote;
use super::bytes::u64_at;
use super::page_map::Entry;

/// One span's record.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) base: u64,
    pub(crate) record: u64,
    /// The heap's address.
    pub(crate) owner: u64,
    pub(crate) class: usize,
    pub(crate) block_size: u64,
    pub(crate) capacity: u32,
    /// Where its bits begin among all spans'.
    words: usize,
}

/// What a block is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Held {
    /// The program's.
    Live,
    Free,
    /// In a magazine, or a hardened heap's stock or quarantine.
    Cached,
    /// Freed by another thread, on its way home.
    Remote,
}

/// All spans by ascending address, with a bit a block for each way not to be the program's.
#[derive(Default)]
pub(crate) struct Spans {
    pub(crate) list: Vec<Span>,
    free: Vec<u64>,
    cached: Vec<u64>,
    remote: Vec<u64>,
    /// Which span a granule is of, by its number.
    by_granule: HashMap<u64, u32>,
    granule: u64,
    /// Bytes behind what was asked for, of all blocks that the program holds, where that is known.
    pub(crate) slack: Option<u64>,
}

impl Remote {
    /// Reads the records that `entries` name.
    pub(crate) fn spans(&self, entries: &[Entry]) -> Spans {
        let layout = &self.layout;
        let mut spans = Spans { granule: layout.granule, ..Spans::default() };
        let mut wanted: Vec<(u64, usize, u64)> = Vec::new();
        for entry in entries.iter().filter(|entry| entry.tag >= 4096) {
            let class = ((entry.tag & 4095) / layout.bin_stride.max(1)) as usize;
            if self.class(class).is_some() && wanted.last().is_none_or(|last| last.0 != entry.record) {
                wanted.push((entry.record, class, entry.at));
            }
        }
        let bits = |class: usize| self.class(class).map_or(0, |class| class.capacity.div_ceil(64) as usize);
        let len = |class: usize| layout.span_bitmap as usize + bits(class) * 8;
        let ranges: Vec<(u64, usize)> = wanted.iter().map(|&(record, class, _)| (record, len(class))).collect();
        let bytes = self.memory.read_many(&ranges);
        let mut rest = bytes.as_slice();
        let mut claims = Vec::new();
        for &(record, index, at) in &wanted {
            let (now, later) = rest.split_at(len(index).min(rest.len()));
            rest = later;
            let Some(class) = self.class(index) else { continue };
            let base = u64_at(now, layout.span_base as usize);
            // Given back, and perhaps another's by now: what is no span of this class at this place is none.
            let here = base <= at && at - base < class.span_bytes && base % layout.granule == 0;
            let same = now.get(layout.span_class as usize).is_some_and(|&byte| usize::from(byte) == index);
            if !here || !same || spans.list.last().is_some_and(|last| last.base >= base) {
                continue;
            }
            claims.push(u64_at(now, layout.span_claims as usize));
            let owner = u64_at(now, layout.span_owner as usize);
            let bitmap = now.get(layout.span_bitmap as usize..).unwrap_or_default();
            spans.add(record, base, owner, index, class, bitmap);
        }
        self.apply_claims(&mut spans, &claims);
        spans
    }

    /// In a hardened process the claims say who holds what: stocks and quarantines need not be looked at.
    fn apply_claims(&self, spans: &mut Spans, claims: &[u64]) {
        const HELD: u16 = 8;
        let with: Vec<(usize, u64)> = claims.iter().copied().enumerate().filter(|&(_, claims)| claims != 0).collect();
        if with.is_empty() {
            return;
        }
        let capacity = |index: usize| spans.list.get(index).map_or(0, |span| span.capacity as usize);
        let ranges: Vec<(u64, usize)> = with.iter().map(|&(index, claims)| (claims, capacity(index) * 2)).collect();
        let bytes = self.memory.read_many(&ranges);
        let (mut rest, mut slack) = (bytes.as_slice(), 0);
        for (&(index, _), &(_, len)) in with.iter().zip(&ranges) {
            let (now, later) = rest.split_at(len.min(rest.len()));
            rest = later;
            for (block, claim) in now.chunks_exact(2).enumerate() {
                let claim = claim.try_into().map_or(0, u16::from_ne_bytes);
                if claim >= HELD {
                    slack += u64::from(claim);
                } else {
                    spans.mark(index, block as u32, Held::Cached);
                }
            }
        }
        spans.slack = Some(slack);
    }
}

impl Spans {
    fn add(&mut self, record: u64, base: u64, owner: u64, index: usize, class: &super::Class, bitmap: &[u8]) {
        let words = self.free.len();
        self.free.extend(bitmap.chunks_exact(8).map(|word| u64_at(word, 0)));
        self.cached.resize(self.free.len(), 0);
        self.remote.resize(self.free.len(), 0);
        let number = self.list.len() as u32;
        for granule in 0..class.span_bytes / self.granule.max(1) {
            self.by_granule.insert(base / self.granule.max(1) + granule, number);
        }
        let (block_size, capacity) = (class.block_size, class.capacity);
        self.list.push(Span { base, record, owner, class: index, block_size, capacity, words });
    }

    /// The span and the number of the block that holds the address `at`.
    pub(crate) fn block_at(&self, at: u64) -> Option<(usize, u32)> {
        let index = *self.by_granule.get(&(at / self.granule.max(1)))? as usize;
        let span = self.list.get(index)?;
        let block = u32::try_from(at.checked_sub(span.base)? / span.block_size).ok()?;
        (block < span.capacity).then_some((index, block))
    }

    /// Notes that a block that starts at `at` waits. Says which span's it is.
    pub(super) fn note(&mut self, at: u64, held: Held) -> Option<usize> {
        let (index, block) = self.block_at(at)?;
        self.mark(index, block, held);
        Some(index)
    }

    fn mark(&mut self, index: usize, block: u32, held: Held) {
        let Some(span) = self.list.get(index) else { return };
        let word = span.words + (block / 64) as usize;
        let bits = match held {
            Held::Cached => &mut self.cached,
            Held::Remote => &mut self.remote,
            Held::Free | Held::Live => return,
        };
        // What is free by now came home since.
        let free = self.free.get(word).copied().unwrap_or(0);
        if let Some(bits) = bits.get_mut(word) {
            *bits |= 1 << (block % 64) & !free;
        }
    }

    /// What a block is.
    pub(crate) fn held(&self, span: &Span, block: u32) -> Held {
        let is_in = |bits: &[u64]| {
            bits.get(span.words + (block / 64) as usize).is_some_and(|word| word >> (block % 64) & 1 == 1)
        };
        match () {
            () if is_in(&self.free) => Held::Free,
            () if is_in(&self.cached) => Held::Cached,
            () if is_in(&self.remote) => Held::Remote,
            () => Held::Live,
        }
    }

    /// Which of the blocks `64 * word ..` are the program's: a bit for each of 64.
    pub(crate) fn live_word(&self, span: &Span, word: u32) -> u64 {
        let bits = |bits: &[u64]| bits.get(span.words + word as usize).copied().unwrap_or(0);
        let there = u64::MAX >> 64_u32.saturating_sub(span.capacity.saturating_sub(word * 64)).min(63);
        let there = if span.capacity <= word * 64 { 0 } else { there };
        there & !bits(&self.free) & !bits(&self.cached) & !bits(&self.remote)
    }

    /// How many of the blocks `from .. to` are live, free, cached, remote.
    pub(crate) fn count(&self, span: &Span, from: u32, to: u32) -> Counts {
        let mut counts = Counts::default();
        let mut at = from;
        while at < to {
            let word = span.words + (at / 64) as usize;
            let end = to.min((at / 64 + 1) * 64);
            let mask = (u64::MAX >> (64 - (end - at))) << (at % 64);
            let bits = |bits: &[u64]| bits.get(word).copied().unwrap_or(0) & mask;
            let free = bits(&self.free);
            let cached = bits(&self.cached) & !free;
            let remote = bits(&self.remote) & !free & !cached;
            counts.free += free.count_ones();
            counts.cached += cached.count_ones();
            counts.remote += remote.count_ones();
            counts.live += (mask & !free & !cached & !remote).count_ones();
            at = end;
        }
        counts
    }

    /// The program's blocks, each as its address and its size.
    #[allow(dead_code, reason = "for who looks for blocks that nothing points to")]
    pub(crate) fn live_blocks(&self) -> impl Iterator<Item = (u64, u64)> {
        self.list.iter().flat_map(move |span| {
            let is_live = move |&block: &u32| self.held(span, block) == Held::Live;
            let block = move |block: u32| (span.base + u64::from(block) * span.block_size, span.block_size);
            (0..span.capacity).filter(is_live).map(block)
        })
    }
}

/// Blocks by what they are.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) live: u32,
    pub(crate) free: u32,
    pub(crate) cached: u32,
    pub(crate) remote: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_what_the_bits_say() {
        let mut spans = Spans { granule: 65536, ..Spans::default() };
        let class = super::super::Class { block_size: 656, span_bytes: 65536, capacity: 99 };
        let mut bitmap = [0_u8; 16];
        bitmap[0] = 0b11; // 0 and 1 are free
        bitmap[8] = 0b1; // and 64
        spans.add(1, 0x10_0000, 7, 3, &class, &bitmap);
        assert_eq!(spans.note(0x10_0000 + 656 * 70 + 9, Held::Cached), Some(0));
        assert_eq!(spans.note(0x10_0000 + 656 * 71, Held::Remote), Some(0));
        assert_eq!(spans.note(0x10_0000, Held::Cached), Some(0));
        assert_eq!(spans.note(0x10_0000 + 656 * 99, Held::Cached), None);
        assert_eq!(spans.note(0x20_0000, Held::Cached), None);
        let span = spans.list.first().cloned().unwrap();
        let held: Vec<Held> = [0, 2, 64, 70, 71].iter().map(|&block| spans.held(&span, block)).collect();
        assert_eq!(held, [Held::Free, Held::Live, Held::Free, Held::Cached, Held::Remote]);
        assert_eq!(spans.count(&span, 0, 99), Counts { live: 94, free: 3, cached: 1, remote: 1 });
        assert_eq!(spans.count(&span, 63, 65), Counts { live: 1, free: 1, cached: 0, remote: 0 });
        let live: u32 = (0..3).map(|word| spans.live_word(&span, word).count_ones()).sum();
        assert!(live == 94 && spans.live_word(&span, 0) & 0b111 == 0b100, "{live}");
        assert_eq!(spans.live_blocks().count(), 94);
        assert_eq!(spans.live_blocks().next(), Some((0x10_0000 + 656 * 2, 656)));
    }
}
