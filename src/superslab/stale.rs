//! Free slots of hardened heaps are all zero. Where they are not, somebody wrote into a block that he had freed, and nobody would find it out once their
//! pages went: they are looked at before. What is not resident reads as zero.

use core::sync::atomic::Ordering;

use super::table::SuperSlab;
use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::low_mask;
use crate::canary;
use crate::class::ClassId;
use crate::config;
use crate::os::{Defect, Misuse};

/// What was written into these slots, which are the caller's: by the start of the block where one kind of them lies here, else by its first byte.
#[inline]
pub(super) fn look(super_slab: &SuperSlab, slots: u32) -> Option<Misuse> {
    if config::get::hardened() == config::hardened::OFF { None } else { look_at_runs(super_slab, slots) }
}

#[cold]
#[inline(never)] // for the stack
fn look_at_runs(super_slab: &SuperSlab, slots: u32) -> Option<Misuse> {
    // Relaxed: bits of slots that are the caller's. Closed ones hold nothing.
    let mut left = if super_slab.kind().is_some() { slots & super_slab.open.load(Ordering::Relaxed) } else { slots };
    while left != 0 {
        let (first, len) = (left.trailing_zeros(), (left >> left.trailing_zeros()).trailing_ones());
        left &= !(low_mask(len) << first);
        let at = super_slab.base().offset(first as usize * GRANULE);
        // SAFETY: mapped slots that are the caller's, and in no block that anybody holds.
        if let Some(written) = unsafe { canary::written(at, len as usize * GRANULE) } {
            return Some(Misuse { what: Defect::PURGE_STALE, at: block_of(super_slab, written) });
        }
    }
    None
}

/// Where the block starts that this byte was in.
fn block_of(super_slab: &SuperSlab, at: Addr) -> Addr {
    let Some(kind) = super_slab.kind() else { return at };
    let class = ClassId::from_index(kind.0 as usize);
    let offset = at.since(super_slab.base()) % class.span_bytes().max(1);
    Addr(at.0 - offset % class.block_size().max(1))
}
