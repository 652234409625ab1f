//! Looking ahead in a flush: in a heap of gigabytes that is freed at random, each block's record and its word of the bitmap miss the caches,
//! one behind the other. Asked for together, some dozens of them are on their way at once. In a small heap they do not miss, and looking costs 40
//! instructions a block.

use super::head::SpanHead;
use super::record::PARTS;
use crate::base::addr::Addr;
use crate::page_map;

/// A run of fewer blocks says that the next ones lie in other spans too; after longer ones looking ahead costs more than it brings.
const SHORT: u32 = 2;
/// Blocks that are looked at: what the processor has on its way at once, and the first cache holds.
const AHEAD: usize = 32;

/// Bytes of blocks from which on a heap is large: their records (a quarter of a KiB for 64 KiB of small blocks), with their entries in the page
/// map, no longer lie in the second cache beside the program's own.
const LARGE: usize = 32 << 20;

/// Whether a heap with so many bytes of blocks, in use and free, is looked ahead in.
pub(crate) fn pays(bytes: usize) -> bool {
    bytes > LARGE
}

/// When a flush is to look ahead.
pub(super) struct Ahead {
    /// Once no more blocks than these are left: not again before those are through that were looked at. 0: never.
    due: usize,
}

impl Ahead {
    #[inline(always)]
    pub(super) fn of(blocks: &[Addr], is_large: bool) -> Ahead {
        Ahead { due: if is_large { blocks.len() } else { 0 } }
    }

    /// A run of `freed` was put back, and these are `left` behind it.
    #[inline(always)]
    pub(super) fn passed(&mut self, freed: u32, left: &[Addr]) {
        if left.len() <= self.due && freed <= SHORT && left.len() > SHORT as usize {
            self.due = left.len().saturating_sub(AHEAD);
            look(left.get(..AHEAD).unwrap_or(left));
        }
    }
}

#[inline(never)]
fn look(blocks: &[Addr]) {
    for &at in blocks {
        page_map::first_record(at).prefetch();
    }
    for &at in blocks {
        let record = page_map::first_record(at);
        if !record.is_null() {
            word_of(record, at).prefetch();
        }
    }
}

/// Where the bit of the block at `at` is, whose granule has this record. Of a record that is no span's: anywhere.
#[inline(always)]
fn word_of(record: Addr, at: Addr) -> Addr {
    let head = record.as_ptr::<SpanHead>();
    // SAFETY: records are never unmapped, and at least as long as this. Field by field: it may be no span's.
    let base = unsafe { (&raw const (*head).slab.base).read() };
    // SAFETY: as above.
    let reciprocal = unsafe { (&raw const (*head).reciprocal).read() };
    let index = (at.since(base) as u64).wrapping_mul(reciprocal) >> 42;
    record.offset(PARTS + index as usize / 64 * 8)
}
