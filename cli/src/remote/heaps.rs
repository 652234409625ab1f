//! Heaps: one for each thread that allocates, and those that ended threads left; with the blocks that wait in each.

use std::collections::HashSet;

use super::Remote;
use super::bytes::{u32_at, u64_at};
use super::spans::{Held, Spans};

#[derive(Clone, Default)]
pub(crate) struct Heap {
    pub(crate) at: u64,
    /// Whether no thread has it.
    pub(crate) orphan: bool,
    /// An address in the memory of the thread that has it; 0: not known.
    pub(crate) word: u64,
    /// Blocks in magazines, by class.
    pub(crate) cached: Vec<u64>,
    /// Bytes that others have sent and nobody took in yet, about.
    pub(crate) inbox_bytes: u64,
    /// Of each class, blocks that refills brought, and blocks sent home to others.
    pub(crate) refilled: Vec<u64>,
    pub(crate) sent: Vec<u64>,
    /// Where the arrays of its magazines are.
    pub(crate) arrays: Vec<u64>,
}

/// A list that is longer was changed while it was read.
const NODES: usize = 1 << 17;
const MAGAZINE: u64 = 1 << 16;

const REFILLED: usize = 1;
const SENT: usize = 5;

impl Remote {
    /// All heaps; what waits in them is noted in `spans`.
    pub(crate) fn heaps(&self, spans: &mut Spans) -> Vec<Heap> {
        let addresses = self.heap_addresses();
        let mut heaps = Vec::with_capacity(addresses.len());
        // So many at a time: a heap is 28 KiB.
        for chunk in addresses.chunks(64) {
            heaps.extend(self.read_heaps(chunk, spans));
        }
        heaps
    }

    fn heap_addresses(&self) -> Vec<u64> {
        let mut seen = self.heaps_seen.borrow_mut();
        let mut heaps = Vec::new();
        let mut at = self.memory.word(self.layout.heaps_at).unwrap_or(0);
        // A damaged one may be a ring.
        let mut passed = HashSet::new();
        while at != 0 && at % 4096 == 0 && seen.first() != Some(&at) && passed.insert(at) {
            heaps.push(at);
            at = self.memory.word(at + self.layout.heap_next).unwrap_or(0);
        }
        heaps.append(&mut seen);
        seen.clone_from(&heaps);
        heaps
    }

    /// Only the parts that say something: what a heap does not use was never touched, and shall not be.
    fn read_heaps(&self, addresses: &[u64], spans: &mut Spans) -> Vec<Heap> {
        let layout = &self.layout;
        let classes = self.classes.len();
        let bins = classes * layout.bin_stride as usize;
        let opens = (layout.heap_opens * layout.open_size) as usize;
        let events = classes * layout.event_kinds as usize * 8;
        // Once blocks may have been lent there: till then nobody has touched those pages.
        let lent = if self.memory.word(layout.profile_at).is_some_and(|tables| tables != 0) { bins } else { 0 };
        let parts = [
            (0, bins),
            (layout.heap_second_bins, lent),
            (layout.heap_open, opens),
            (layout.heap_events, events),
            (layout.heap_word, 8),
            (layout.heap_orphan, 1),
            (layout.heap_inbox, 8),
            (layout.heap_inbox_bytes, 8),
        ];
        let len: usize = parts.iter().map(|part| part.1).sum();
        let ranges: Vec<(u64, usize)> =
            addresses.iter().flat_map(|&at| parts.iter().map(move |&(offset, len)| (at + offset, len))).collect();
        let bytes = self.memory.read_many(&ranges);
        let mut heaps = Vec::new();
        let (mut arrays, mut nodes) = (Vec::new(), Vec::new());
        for (&at, bytes) in addresses.iter().zip(bytes.chunks_exact(len.max(1))) {
            let mut rest = bytes;
            let mut part = |len: usize| {
                let (now, later) = rest.split_at(len.min(rest.len()));
                rest = later;
                now
            };
            let (bins, lent) = (part(bins), part(lent));
            let (opens, events) = (part(opens), part(events));
            let (word, orphan, inbox, inbox_bytes) = (part(8), part(1), part(8), part(8));
            let mut heap = Heap { at, word: u64_at(word, 0) & !1, orphan: orphan == [1], ..Heap::default() };
            heap.inbox_bytes = u64::try_from(u64_at(inbox_bytes, 0) as i64).unwrap_or(0);
            let magazine = |bin: &[u8]| {
                let (cur, base) = (u64_at(bin, layout.bin_cur as usize), u64_at(bin, layout.bin_base as usize));
                (base, (cur.wrapping_sub(base) / 8) & (MAGAZINE - 1))
            };
            for bin in bins.chunks_exact(layout.bin_stride as usize) {
                let (base, count) = magazine(bin);
                heap.cached.push(count);
                if base != 0 {
                    heap.arrays.push(base);
                    arrays.push((base, count as usize * 8));
                }
            }
            for (bin, cached) in lent.chunks_exact(layout.bin_stride as usize).zip(&mut heap.cached) {
                let (base, count) = magazine(bin);
                *cached += count;
                if base != 0 {
                    arrays.push((base, count as usize * 8));
                }
            }
            for class in events.chunks_exact(layout.event_kinds as usize * 8) {
                heap.refilled.push(u64_at(class, REFILLED * 8));
                heap.sent.push(u64_at(class, SENT * 8));
            }
            nodes.push(u64_at(inbox, 0));
            nodes.extend(
                opens.chunks_exact(layout.open_size as usize).map(|open| u64_at(open, layout.open_node as usize)),
            );
            heaps.push(heap);
        }
        for block in self.memory.read_many(&arrays).chunks_exact(8) {
            spans.note(u64_at(block, 0), Held::Cached);
        }
        self.note_nodes(nodes, spans);
        heaps
    }

    /// Follows lists of batches, a step of all of them at a time.
    fn note_nodes(&self, nodes: Vec<u64>, spans: &mut Spans) {
        let layout = &self.layout;
        let mut at: Vec<u64> = nodes.into_iter().filter(|&node| node != 0).collect();
        let mut seen = 0;
        while !at.is_empty() && seen < NODES {
            seen += at.len();
            let ranges: Vec<(u64, usize)> = at.iter().map(|&node| (node, layout.node_size as usize)).collect();
            let bytes = self.memory.read_many(&ranges);
            at.clear();
            for node in bytes.chunks_exact(layout.node_size as usize) {
                let taken = (u64_at(node, layout.node_word as usize) & 0x7fff_ffff) as usize;
                let len = u32_at(node, layout.node_len as usize) as usize;
                let blocks = node.get(layout.node_blocks as usize..).unwrap_or_default();
                for block in blocks.chunks_exact(8).take(len).skip(taken) {
                    spans.note(u64_at(block, 0), Held::Remote);
                }
                // An open batch's link is that of its last time in an inbox: followed there it would be another's.
                let next = u64_at(node, layout.node_next as usize);
                if next != 0 && u64_at(node, layout.node_word as usize) >> 31 & 1 == 1 {
                    at.push(next);
                }
            }
        }
    }
}
