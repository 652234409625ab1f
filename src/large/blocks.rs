//! Large blocks: made, freed and resized, each by the file that knows its kind: runs of slots, mappings, fenced ones, those in a program's memory.

use core::ptr::NonNull;

use super::cache::Range;
use super::record::{Large, claim, find, forget, record_of};
use super::run::{GROWN_MAX, RUN_MAX};
use super::state::{RUN_BYTES, RUNS};
use super::warm::{self, Freed};
use super::{fenced, given, held, keep, mapping, parked, run, site};
use crate::base::addr::{Addr, GRANULE, GRANULE_SHIFT};
use crate::base::bits::round_up;
use crate::base::block::Block;
use crate::base::fresh::Fresh;
use crate::config;
use crate::meta;
use crate::os::{self, Defect, die, die_sized};
use crate::page_map::{self, Tag};
use crate::region::Region;
use crate::superslab;
use crate::trace;

/// A freed block of just so many granules that waits at `seat`, if one does. Not in hardened mode, where none waits.
///
/// With `free_warm` all of a pair that repeats: no lock, no record made or entered anew.
#[inline(always)]
pub(crate) fn alloc_warm(size: usize, seat: usize) -> Option<Block> {
    // Not rounded up before the shift: that would make none of the largest sizes, and none fits a free place.
    warm::take(seat, (size.wrapping_sub(1) >> GRANULE_SHIFT) + 1).map(Block::at)
}

/// Frees the block at `at`, whose granule is tagged LARGE as `first_tag` said, if it can wait at `seat`. `None`: nothing was done.
#[inline(always)]
pub(crate) fn free_warm(at: Addr, seat: usize) -> Option<Freed> {
    warm::free(at, seat)
}

/// What becomes of a block that found no place.
#[cold]
pub(crate) fn take_in(freed: Range) {
    warm::into_cache(freed);
}

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
    let record = meta::alloc(size_of::<Large>())?;
    let made = if config::get::hardened() != config::hardened::OFF {
        fenced::make(size, align).map(|large| (large, 0))
    } else if bytes <= if align > GRANULE { RUN_MAX } else { GROWN_MAX } {
        // A short SuperSlab, or none at all, is no reason to refuse what a mapping of its own can serve.
        run::make(bytes, align).or_else(|| if align > GRANULE { mapping::make(size, align, may_join) } else { None })
    } else {
        // Nor is a process that has as many mappings as it may.
        mapping::make(size, align, may_join).or_else(|| if bytes <= RUN_MAX { run::make(bytes, align) } else { None })
    };
    let Some((large, stale)) = made else {
        meta::free(record, size_of::<Large>());
        return None;
    };
    enroll(record, large).map(|at| Fresh::part(Block::at(at), stale))
}

/// A block of `bytes` bytes, a granule multiple, in memory of the program's own.
#[inline(never)] // a second record on the stack of who wants an own mapping
pub(super) fn alloc_given(region: &'static Region, bytes: usize, align: usize) -> Option<Fresh> {
    let record = meta::alloc(size_of::<Large>())?;
    let Some(large) = given::make(region, bytes, align) else {
        meta::free(record, size_of::<Large>());
        return None;
    };
    enroll(record, large).map(|at| Fresh::new(Block::at(at), false))
}

/// Enters a block that was made, with its record. `None`: out of memory, and it has gone back.
#[inline(always)]
fn enroll(record: Addr, large: Large) -> Option<Addr> {
    let at = large.base;
    // SAFETY: a record of this size, ours alone. Before it can be found: who looks for one is told of no other.
    unsafe { record.as_ptr::<Large>().write(large) };
    if !page_map::enter(at, 1, Tag::LARGE, record) {
        // SAFETY: just written, and found by nobody.
        give_back(unsafe { record.as_ptr::<Large>().read() });
        meta::free(record, size_of::<Large>());
        return None;
    }
    trace::on_alloc(at);
    Some(at)
}

/// Frees the block at `at`, whose granule is tagged LARGE. Ends the process when no block starts there, and when a fenced
/// one was written past its end or is not of the size that the program `said`.
pub(crate) fn free(at: Addr, said: Option<usize>) {
    let Some(record) = claim(at) else {
        die(if record_of(at).is_some() { Defect::FREE_INTERIOR } else { Defect::FREE_FOREIGN }, at)
    };
    held::let_go(record);
    release(record, at, said);
}

/// Gives a claimed block back, that nobody holds.
pub(super) fn release(record: NonNull<Large>, at: Addr, said: Option<usize>) {
    check(record, said);
    // SAFETY: claimed: nobody else finds the record any more; it is read once and then given back.
    let large = unsafe { record.as_ptr().read() };
    trace::on_free(at);
    forget(at, record);
    give_back(large);
}

fn check(record: NonNull<Large>, said: Option<usize>) {
    // SAFETY: claimed: ours alone.
    let large = unsafe { record.as_ref() };
    if large.mapped == 0 {
        return;
    }
    if said.is_some_and(|said| said.max(1) != large.size) {
        die_sized(Defect::FREE_SIZE, large.size, large.base);
    }
    if !fenced::is_whole(large) {
        die_sized(Defect::FREE_OVERFLOW, large.size, large.base);
    }
}

/// Usable bytes of the block at `at`, which the caller holds; `None` when no large block starts there.
pub(crate) fn usable(at: Addr) -> Option<usize> {
    // SAFETY: the caller holds the block, so its record is stable.
    find(at).map(|record| unsafe { record.as_ref() }.size)
}

/// Makes the block at `at` hold `size` bytes, in place or by moving pages. `None`: neither is possible, all as before.
#[inline(never)]
pub(crate) fn resize(at: Addr, size: usize) -> Option<Addr> {
    let record = find(at)?;
    held::resized(record, size, |large| resize_record(large, record, at, size))
}

fn resize_record(large: &mut Large, record: NonNull<Large>, at: Addr, size: usize) -> Option<Addr> {
    if large.mapped > 0 {
        if !fenced::is_whole(large) {
            die_sized(Defect::REALLOC_OVERFLOW, large.size, at);
        }
        return fenced::resize(large, record, size);
    }
    let at = match (large.given, &large.slab) {
        (Some(region), _) => given::resize(large, region, round_up(size.max(1), GRANULE)?, size),
        (None, Some(_)) => run::resize(large, round_up(size.max(1), GRANULE)?, size),
        (None, None) => mapping::resize(large, record, round_up(size, GRANULE)?),
    }?;
    large.size = large.bytes;
    Some(at)
}

/// Makes the block at `at` hold `most` bytes where it stands, or `least`, more than it holds. Says how many it holds then; `None`: neither is
/// possible, all as before.
#[inline(never)]
pub(crate) fn expand(at: Addr, least: usize, most: usize) -> Option<usize> {
    held::resized(find(at)?, most, |large| expand_record(large, at, least, most))
}

fn expand_record(large: &mut Large, at: Addr, least: usize, most: usize) -> Option<usize> {
    if large.mapped > 0 {
        if !fenced::is_whole(large) {
            die_sized(Defect::EXPAND_OVERFLOW, large.size, at);
        }
        return [most, least].into_iter().find(|size| fenced::expand(large, *size));
    }
    let sizes = [round_up(most, GRANULE)?, round_up(least, GRANULE)?];
    sizes.into_iter().find(|bytes| match (large.given, &large.slab) {
        (Some(region), _) => given::resize(large, region, *bytes, *bytes).is_some(),
        (None, Some(_)) => run::resize(large, *bytes, *bytes).is_some(),
        (None, None) => mapping::expand(large, *bytes),
    })?;
    large.size = large.bytes;
    Some(large.size)
}

/// Makes the block at `at` end after `size` bytes, fewer than it has: no more is the program's, where that is watched.
pub(crate) fn cut(at: Addr, size: usize) {
    let Some(mut record) = find(at) else { return };
    // SAFETY: as in `resize`.
    let large = unsafe { record.as_mut() };
    if large.mapped > 0 {
        fenced::cut(large, size);
    }
}

fn give_back(large: Large) {
    if large.mapped > 0 {
        return fenced::give_back(&large);
    }
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

/// Unmaps cached mappings until `want` bytes went back. Returns bytes. Any thread.
///
/// What is held back of fenced blocks is addresses, not memory: only whoever wants all (`usize::MAX`) gets those.
pub(crate) fn purge(want: usize) -> usize {
    let given = mapping::purge(want);
    let given = given + parked::purge(want - want.min(given));
    given + if want == usize::MAX { site::purge() } else { 0 }
}
