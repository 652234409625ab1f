//! `hak_heap_walk`: the heap class by class, with what the kernel says is resident.
#![forbid(unsafe_code)]

use super::Totals;
use crate::class::CLASSES;
use crate::heap;
use crate::os::gate;

/// One class, or all large blocks together.
#[derive(Clone, Copy, Default)]
pub(crate) struct Entry {
    /// 0: large blocks.
    pub(crate) block_size: u64,
    pub(crate) spans: u64,
    pub(crate) span_bytes: u64,
    pub(crate) blocks: u64,
    pub(crate) live: u64,
    pub(crate) cached: u64,
    pub(crate) free: u64,
    pub(crate) live_bytes: u64,
    pub(crate) resident_bytes: u64,
}

/// The entries, smallest class first, large blocks last, and how many there are: only of what exists.
pub(crate) fn take() -> ([Entry; CLASSES + 1], usize) {
    // Before the totals: a span released in between is in none of them, and one acquired in between is not resident yet.
    let mut resident = [0; CLASSES];
    let mut entries = [Entry::default(); CLASSES + 1];
    let Some(_inside) = gate::enter_later() else { return (entries, 0) };
    heap::each_heap(|heap| {
        for (spans, sum) in heap.look().spans.iter_mut().zip(&mut resident) {
            *sum += spans.resident_bytes();
        }
    });
    let totals = Totals::take();
    let mut used = 0;
    let mut put = |entry: Entry| {
        if let Some(slot) = entries.get_mut(used) {
            *slot = entry;
            used += 1;
        }
    };
    for ((class, total), resident_bytes) in totals.by_class().zip(resident).filter(|((_, total), _)| total.spans > 0) {
        put(Entry {
            block_size: class.block_size() as u64,
            spans: total.spans,
            span_bytes: total.spans * class.span_bytes() as u64,
            blocks: total.blocks,
            live: total.live(),
            cached: total.cached,
            free: total.free,
            live_bytes: total.live() * class.block_size() as u64,
            resident_bytes,
        });
    }
    let large = &totals.large;
    if large.live_blocks > 0 {
        put(Entry {
            blocks: large.live_blocks,
            live: large.live_blocks,
            live_bytes: large.live_bytes,
            resident_bytes: large.live_bytes,
            ..Entry::default()
        });
    }
    (entries, used)
}
