//! Large blocks: made, freed and resized, each by the file that knows where it lies: in a run of slots, a mapping, a program's memory.

use core::ptr::NonNull;

use super::counts::{RUN_BYTES, RUNS};
use super::keep::COPY_MAX;
use super::record::{Large, claim, enroll, find, forget_plain};
use super::run::{GROWN_MAX, RUN_MAX};
use super::{given, held, keep, mapping, run, warm};
use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::round_up;
use crate::base::block::Block;
use crate::base::fresh::Fresh;
use crate::config;
use crate::meta::{self, Spare};
use crate::os;
use crate::page_map::Tag;
use crate::region::Region;
use crate::superslab;

/// At least `size` bytes at a multiple of `align` (a power of two). `None`: out of memory or of address space.
///
/// Apart, as `resize` is: inlined, what it needs of the stack would be taken for blocks of classes too.
#[inline(never)]
pub(crate) fn alloc(size: usize, align: usize) -> Option<Fresh> {
    make(size, align, true)
}

/// The same for what is to grow: of one piece, so that it can be moved.
#[inline(never)]
pub(crate) fn alloc_growing(size: usize) -> Option<Fresh> {
    make(size, 1, false)
}

#[inline(always)]
fn make(size: usize, align: usize, may_join: bool) -> Option<Fresh> {
    let size = size.max(1);
    let bytes = round_up(size, GRANULE)?;
    if bytes > isize::MAX as usize {
        return None;
    }
    let waits = if align <= GRANULE { warm::take_anywhere(bytes) } else { None };
    if let Some(at) = waits {
        return Some(Fresh::new(Block::at(at), false));
    }
    let mut spare = Spare::default();
    let made = if bytes <= if align > GRANULE { RUN_MAX } else { GROWN_MAX } {
        // A short SuperSlab, or none at all, is no reason to refuse what a mapping of its own can serve.
        run::make(size, bytes, align)
            .or_else(|| if align > GRANULE { mapping::make(size, align, may_join, &mut spare) } else { None })
    } else {
        // Nor is a process that has as many mappings as it may.
        mapping::make(size, align, may_join, &mut spare)
            .or_else(|| if bytes <= RUN_MAX { run::make(size, bytes, align) } else { None })
    };
    let (large, stale) = made?;
    let Some(record) = spare.take(size_of::<Large>()) else {
        give_back(large);
        return None;
    };
    let base = large.base;
    let at = enroll(record, large, base, Tag::LARGE, give_back)?;
    Some(Fresh::part(Block::at(at), stale))
}

/// A block of `bytes` bytes, a granule multiple, in memory of the program's own.
#[inline(never)] // a second record on the stack of who wants an own mapping
pub(super) fn alloc_given(region: &'static Region, bytes: usize, align: usize) -> Option<Fresh> {
    let record = meta::alloc(size_of::<Large>())?;
    let Some(large) = given::make(region, bytes, align) else {
        meta::free(record, size_of::<Large>());
        return None;
    };
    let base = large.base;
    let at = enroll(record, large, base, Tag::LARGE, give_back)?;
    Some(Fresh::new(Block::at(at), false))
}

/// Frees the block at `at`, whose granule is tagged LARGE. Ends the process when no block starts there.
pub(crate) fn free(at: Addr) {
    let record = claim(at, Tag::LARGE);
    held::let_go(record);
    give_back(forget_plain(at, record));
}

/// Usable bytes of the block at `at`, of whichever kind, which the caller holds; `None` when no large block starts there.
pub(crate) fn usable(at: Addr) -> Option<usize> {
    // SAFETY: the caller holds the block, so its record is stable.
    find(at).map(|record| unsafe { record.as_ref() }.usable())
}

/// Whether the block at `at`, which the caller holds, is to hold `size` bytes as it is: then there is no `resize`. No lock, so no gate.
///
/// Above 5/8 of the most that was asked for, as a class's block; a long one less than an eighth of which would go back.
#[inline]
pub(crate) fn stays(at: Addr, size: usize) -> bool {
    let Some(record) = find(at) else { return false };
    // SAFETY: as in `usable`.
    let large = unsafe { record.as_ref() };
    let spare = large.size / 8 * if large.size <= COPY_MAX { 3 } else { 1 };
    let stays = large.given.is_none() && size <= large.bytes && size > large.size - spare;
    if stays && size > large.size {
        // SAFETY: of a run, whose `size` nobody reads but who holds the block.
        unsafe { (*record.as_ptr()).size = size };
    }
    stays
}

/// Makes the block at `at` hold `size` bytes, in place or by moving pages. `None`: neither is possible, all as before.
#[inline(never)]
pub(crate) fn resize(at: Addr, size: usize) -> Option<Addr> {
    let record = find(at)?;
    held::resized(record, size, || resize_record(record, size))
}

fn resize_record(mut record: NonNull<Large>, size: usize) -> Option<Addr> {
    // SAFETY: the caller holds the block, and there is no other reference to its record.
    let large = unsafe { record.as_mut() };
    let at = match (large.given, &large.slab) {
        (Some(region), _) => given::resize(large, region, round_up(size.max(1), GRANULE)?, size),
        (None, Some(_)) => return run::resize(large, round_up(size.max(1), GRANULE)?, size),
        (None, None) => mapping::resize(large, round_up(size, GRANULE)?),
    }?;
    large.size = large.bytes;
    Some(at)
}

/// Makes the block at `at` hold `most` bytes where it stands, or `least`, more than it holds. Says how many it holds then; `None`: neither is
/// possible, all as before.
#[inline(never)]
pub(crate) fn expand(at: Addr, least: usize, most: usize) -> Option<usize> {
    let record = find(at)?;
    held::resized(record, most, || expand_record(record, least, most))
}

fn expand_record(mut record: NonNull<Large>, least: usize, most: usize) -> Option<usize> {
    // SAFETY: as in `resize_record`.
    let large = unsafe { record.as_mut() };
    let sizes = [round_up(most, GRANULE)?, round_up(least, GRANULE)?];
    sizes.into_iter().find(|bytes| match (large.given, &large.slab) {
        (Some(region), _) => given::resize(large, region, *bytes, *bytes).is_some(),
        (None, Some(_)) => run::resize(large, *bytes, *bytes).is_some(),
        (None, None) => mapping::expand(large, *bytes),
    })?;
    large.size = large.bytes;
    Some(large.size)
}

fn give_back(large: Large) {
    if let Some(region) = large.given {
        return given::give_back(&large, region);
    }
    match large.slab {
        Some(slab) => {
            RUNS.sub(1);
            RUN_BYTES.sub(large.bytes as u64);
            // From before the options were read: hardened heaps take all slabs for zero.
            if config::get::hardened() != config::hardened::OFF && !os::purge(large.base, large.bytes) {
                // SAFETY: the slots are ours.
                unsafe { large.base.as_ptr::<u8>().write_bytes(0, large.bytes) };
            }
            superslab::release_slab(slab);
        }
        None => keep::give_back(large.base, large.bytes),
    }
}
