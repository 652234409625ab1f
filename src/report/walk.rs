//! `hak_heap_walk`: the heap class by class, with what the kernel says is resident.
#![forbid(unsafe_code)]

use super::totals::Totals;

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

/// Hands each entry to `look`, smallest class first, large blocks last, only of what exists; ends with the first answer but 0.
/// The figures are taken before.
pub(crate) fn each(mut look: impl FnMut(Entry) -> i32) -> i32 {
    let Some(totals) = Totals::take_resident() else { return 0 };
    for (class, total) in totals.by_class().filter(|(_, total)| total.spans > 0) {
        let said = look(Entry {
            block_size: class.block_size() as u64,
            spans: total.spans,
            span_bytes: total.spans * class.span_bytes() as u64,
            blocks: total.blocks,
            live: total.live(),
            cached: total.cached,
            free: total.free,
            live_bytes: total.live() * class.block_size() as u64,
            resident_bytes: total.resident,
        });
        if said != 0 {
            return said;
        }
    }
    let large = &totals.large;
    if large.live_blocks == 0 {
        return 0;
    }
    look(Entry {
        blocks: large.live_blocks,
        live: large.live_blocks,
        live_bytes: large.live_bytes,
        resident_bytes: large.live_bytes,
        ..Entry::default()
    })
}
