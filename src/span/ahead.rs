//! Looking ahead in a flush: in a heap of gigabytes that is freed at random, each block's record and its word of the bitmap miss the caches,
//! one behind the other. Asked for together, some dozens of them are on their way at once.

use super::Span;
use crate::base::addr::Addr;
use crate::page_map;

/// A run of fewer blocks says that the next ones lie in other spans too; after longer ones looking ahead costs more than it brings.
const SHORT: u32 = 2;
/// Blocks that are looked at: what the processor has on its way at once, and the first cache holds.
const AHEAD: usize = 32;

/// How many blocks of a flush were looked at and not come to yet.
#[derive(Default)]
pub(super) struct Ahead(usize);

impl Ahead {
    /// A run of `freed` blocks was put back, and these are `left`.
    #[inline(always)]
    pub(super) fn passed(&mut self, freed: u32, left: &[Addr]) {
        self.0 = self.0.saturating_sub(freed as usize);
        if freed <= SHORT && self.0 == 0 && left.len() > SHORT as usize {
            self.0 = look(left.get(..AHEAD).unwrap_or(left));
        }
    }
}

#[inline(never)]
fn look(blocks: &[Addr]) -> usize {
    for &at in blocks {
        page_map::first_record(at).prefetch();
    }
    for &at in blocks {
        let record = page_map::first_record(at);
        if !record.is_null() {
            word_of(record, at).prefetch();
        }
    }
    blocks.len()
}

/// Where the bit of the block at `at` is, whose granule has this record. Of a record that is no span's: anywhere.
#[inline(always)]
fn word_of(record: Addr, at: Addr) -> Addr {
    let span = record.as_ptr::<Span>();
    // SAFETY: records are never unmapped, and at least as long as these two fields. Field by field: an owner may hold the rest mutably.
    let (base, reciprocal) = unsafe { ((&raw const (*span).base).read(), (&raw const (*span).reciprocal).read()) };
    let index = (at.since(base) as u64).wrapping_mul(reciprocal) >> 42;
    record.offset(size_of::<Span>() + index as usize / 64 * 8)
}
