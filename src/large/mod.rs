//! Box `large` (L6): blocks above 1 MiB, in mappings of their own, with a bounded cache of freed ones; below that what `realloc` grew,
//! up to 256 KiB in runs of slots, and large alignments in such runs.
//! Owns: `Large` records, the mappings, the cache.   Calls: base, os, class, stats, canary, config, page_map, meta, trace, profile, region, superslab.
//! Called by: reclaim, front, arena, report, abi.   Locks: `LARGE` → `RETIRED` → `LAND` (then pool → meta); `WAITING` and `LINKS`, leaves.   Threads: any.
//! A block starts a granule, and only that granule is in the page map.

mod cache;
mod given;
mod guarded;
mod held;
mod mapping;
mod parked;
mod pieces;
mod run;
mod sampled;
mod snapshot;
mod warm;

use core::mem::offset_of;
use core::ptr::NonNull;

use crate::base::addr::{Addr, GRANULE, GRANULE_SHIFT};
use crate::base::aside::Aside;
use crate::base::bits::round_up;
use crate::base::block::Block;
use crate::base::fresh::Fresh;
use crate::base::layout::{self, At};
use crate::base::seats::PLACES;
use crate::config;
use crate::meta;
use crate::os::lock::Mutex;
use crate::os::{self, Defect, die, die_sized};
use crate::page_map::{self, Tag};
use crate::region::Region;
use crate::stats::counter::Counter;
use crate::stats::level::IN_USE;
use crate::superslab::Slab;
use crate::trace;
use cache::{Cache, Range};
pub(crate) use held::{Held, free_noted, holder, serial};
pub(crate) use sampled::{mark_sampled, take_sampled};
pub(crate) use snapshot::{Snapshot, snapshot};

/// Aligned blocks up to this size are runs of slots.
const RUN_MAX: usize = 1 << 20;

/// So are blocks that `realloc` grew, up to this size. Larger ones grow with their pages, in mappings of their own: a run that can't
/// is copied, and what it leaves serves no larger block. Thirty buffers grown to 2 MiB together (bench_c/bench_realloc 15 30):
/// 142,000 faults and a peak of 88 MiB, with 1 MiB here 249,000 and 108; 128 and 64 KiB gain little more.
const GROWN_MAX: usize = 256 << 10;

/// A large block's record, found through the page map at the block's first granule.
struct Large {
    base: Addr,
    /// Usable bytes: a granule multiple. Of a guarded block the open ones: a page multiple.
    bytes: usize,
    /// The slots of a run; `None` for a mapping of its own.
    slab: Option<Slab>,
    /// What the program may use of a guarded block, which is what it asked for; else `bytes`.
    size: usize,
    /// Bytes of a guarded block's mapping; else 0.
    mapped: usize,
    /// Where a guarded block's open pages may be more than one mapping to the kernel; and where it has closed ones.
    cuts: parked::Cuts,
    fence: guarded::Fence,
    /// Whether it may wait at a seat when it is freed: a mapping of its own, not guarded, of which no trace is kept; and not
    /// from before the options were read, lest a hardened process hand it out.
    waits: bool,
    /// Whether the profiler has a note of it. Written by who holds the block.
    sampled: bool,
    /// Whose it is, if somebody may free it with all of his.
    hold: held::Hold,
    /// Where it lies, if that is memory of the program's own.
    given: Option<&'static Region>,
}

const _: () = assert!(size_of::<Large>() == 104, "docs/ARCHITECTURE.md, section 5, says so");

/// What became of a block that might wait.
pub(crate) enum Freed {
    Waits,
    /// Another thread took the last place at the seat: it is to go into the cache, by `take_in`.
    Homeless(Range),
}

static LARGE: Aside<Mutex<Cache>> = Aside(Mutex::new(Cache::new()));
/// Blocks that are runs of slots, and their bytes. Those with mappings of their own are counted by `IN_USE`.
static RUNS: Counter = Counter::new();
static RUN_BYTES: Counter = Counter::new();
/// Own mappings, those that nobody uses included: they wait at a seat or in the cache (C2).
static MAPPED_BYTES: Counter = Counter::new();
/// Of mappings in use, what is no block's: closed pages of guarded ones, and those that could not be unmapped.
static CLOSED_BYTES: Counter = Counter::new();
/// Bytes mapped anew so far.
static FRESH_BYTES: Counter = Counter::new();
/// Bytes of the cache that went back to the kernel, so far.
static PURGED_BYTES: Counter = Counter::new();

pub(crate) const LAYOUT: layout::Large = layout::Large {
    base: offset_of!(Large, base),
    bytes: offset_of!(Large, bytes),
    size: offset_of!(Large, size),
    mapped: offset_of!(Large, mapped),
    mapped_at: At((&raw const MAPPED_BYTES).cast()),
    in_use_at: At(IN_USE.mappings_at().cast()),
    seats_at: At((&raw const warm::SEATS).cast()),
    seats: warm::COUNT * PLACES,
};

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
        guarded::make(size, align).map(|large| (large, 0))
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

/// Frees the block at `at`, whose granule is tagged LARGE. Ends the process when no block starts there, and when a guarded
/// one was written past its end or is not of the size that the program `said`.
pub(crate) fn free(at: Addr, said: Option<usize>) {
    let Some(record) = claim(at) else {
        die(if record_of(at).is_some() { Defect::FREE_INTERIOR } else { Defect::FREE_FOREIGN }, at)
    };
    held::let_go(record);
    release(record, at, said);
}

/// Gives a claimed block back, that nobody holds.
fn release(record: NonNull<Large>, at: Addr, said: Option<usize>) {
    check(record, said);
    // SAFETY: claimed: nobody else finds the record any more; it is read once and then given back.
    let large = unsafe { record.as_ptr().read() };
    trace::on_free(at);
    forget(at, record);
    give_back(large);
}

/// The record of the block that starts at `at`, and that nobody else can free any more.
fn claim(at: Addr) -> Option<NonNull<Large>> {
    if !at.is_aligned(GRANULE) {
        return None;
    }
    let entry = page_map::entry(at).filter(|entry| entry.claim(Tag::LARGE, Tag::WAITS))?;
    NonNull::new(entry.record().as_ptr())
}

/// Strikes out and gives back the record of a claimed block. No lock is held: pages of the map may go to the kernel.
fn forget(at: Addr, record: NonNull<Large>) {
    drop(page_map::strike(at, 1));
    meta::free(Addr::of(record.as_ptr()), size_of::<Large>());
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
    if !guarded::is_whole(large) {
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
        if !guarded::is_whole(large) {
            die_sized(Defect::REALLOC_OVERFLOW, large.size, at);
        }
        return guarded::resize(large, record, size);
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
        if !guarded::is_whole(large) {
            die_sized(Defect::EXPAND_OVERFLOW, large.size, at);
        }
        return [most, least].into_iter().find(|size| guarded::expand(large, *size));
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
        guarded::cut(large, size);
    }
}

fn give_back(large: Large) {
    if large.mapped > 0 {
        return guarded::give_back(&large);
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
            crate::superslab::release_slab(slab);
        }
        None => mapping::give_back(large.base, large.bytes),
    }
}

fn record_of(at: Addr) -> Option<NonNull<Large>> {
    if page_map::tag(at) != Tag::LARGE {
        return None;
    }
    NonNull::new(page_map::record(at).as_ptr())
}

/// A block starts the one granule that is entered for it.
fn find(at: Addr) -> Option<NonNull<Large>> {
    if at.is_aligned(GRANULE) { record_of(at) } else { None }
}

impl Large {
    fn plain(base: Addr, bytes: usize, slab: Option<Slab>) -> Large {
        let waits = slab.is_none()
            && config::ready()
            && config::get::hardened() == config::hardened::OFF
            && config::get::trace() != 1;
        Large {
            base,
            bytes,
            slab,
            size: bytes,
            mapped: 0,
            cuts: parked::Cuts::NONE,
            fence: guarded::Fence::None,
            waits,
            sampled: false,
            hold: held::Hold::default(),
            given: None,
        }
    }
}

/// Unmaps cached mappings until `want` bytes went back. Returns bytes. Any thread.
///
/// What is held back of guarded blocks is addresses, not memory: only whoever wants all (`usize::MAX`) gets those.
pub(crate) fn purge(want: usize) -> usize {
    let given = mapping::purge(want);
    let given = given + parked::purge(want - want.min(given));
    given + if want == usize::MAX { guarded::purge() } else { 0 }
}

/// Bytes that `purge` could give back. Any thread.
pub(crate) fn dirty_bytes() -> u64 {
    MAPPED_BYTES.get().saturating_sub(active_bytes())
}

/// Whether those are more than `bytes`.
#[inline]
pub(crate) fn is_dirtier_than(bytes: u64) -> bool {
    MAPPED_BYTES.get() > active_bytes() + bytes
}

/// Bytes of blocks that got a new mapping, so far. Any thread.
pub(crate) fn fresh_bytes() -> u64 {
    FRESH_BYTES.get()
}

/// Bytes of own mappings, those in use and those that nobody uses. Any thread.
pub(crate) fn mapped_bytes() -> u64 {
    MAPPED_BYTES.get()
}

/// Bytes of blocks in use that are no runs of slots. Any thread.
pub(crate) fn active_bytes() -> u64 {
    IN_USE.mapped_bytes()
}

/// C1; with `alone`, when no other thread exists, the counter too. Any thread.
#[cfg(feature = "paranoid")]
pub(crate) fn check_cache(alone: bool) {
    // The lock is let go first: what finds no seat any more goes into the cache.
    let cached = LARGE.lock().check();
    let bytes = cached + warm::check() + parked::check();
    crate::os::require(!alone || bytes as u64 == dirty_bytes(), "C2: the count of cached bytes", Addr(bytes));
}
