//! Box `large` (L6): blocks above 64 KiB. Runs of slots up to 1 MiB, mappings of their own above, a bounded cache of those.
//! Owns: `Large` records, the mappings, the cache.   Calls: base, os, stats, page_map, meta, superslab.
//! Called by: front, report.   Locks: `LARGE` (then pool → meta).   Threads: any.
//! A block starts a granule, and only that granule is in the page map.

mod cache;
mod mapping;
mod run;

use core::ptr::NonNull;

use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::round_up;
use crate::base::lock::{self, Fork, Mutex};
use crate::meta;
use crate::os::die;
use crate::page_map::{self, Tag};
use crate::stats::counter::Counter;
use crate::superslab::Slab;
use cache::Cache;

const FREED: &str = "free: not a block of this allocator, or free already";
const INTERIOR: &str = "free: pointer into a block, not to its start";

/// Blocks up to this size (and alignment up to a granule) are runs of slots.
const RUN_MAX: usize = 1 << 20;

/// A large block's record, found through the page map at the block's first granule.
struct Large {
    base: Addr,
    /// Usable bytes: a granule multiple.
    bytes: usize,
    /// The slots of a run; `None` for a mapping of its own.
    slab: Option<Slab>,
}

/// A block just made.
pub(crate) struct Fresh {
    pub(crate) at: Addr,
    /// Whether all of it is known to read as zero.
    pub(crate) zero: bool,
}

static LARGE: Mutex<Cache> = Mutex::new(Cache::new());
static LIVE_BYTES: Counter = Counter::new();
static LIVE_BLOCKS: Counter = Counter::new();
static MAPPED_BYTES: Counter = Counter::new();
/// Bytes mapped anew so far.
static FRESH_BYTES: Counter = Counter::new();
/// Of the mapped bytes, those in the cache.
static CACHED_BYTES: Counter = Counter::new();
/// Bytes of the cache that went back to the kernel, so far.
static PURGED_BYTES: Counter = Counter::new();

/// At least `size` bytes at a multiple of `align` (a power of two). `None`: out of memory or of address space.
pub(crate) fn alloc(size: usize, align: usize) -> Option<Fresh> {
    let bytes = round_up(size.max(1), GRANULE)?;
    if bytes > isize::MAX as usize {
        return None;
    }
    let record = meta::alloc(size_of::<Large>())?;
    let made = if bytes <= RUN_MAX && align <= GRANULE { run::make(bytes) } else { mapping::make(bytes, align) };
    let Some((large, zero)) = made else {
        meta::free(record, size_of::<Large>());
        return None;
    };
    let (at, bytes) = (large.base, large.bytes);
    if !page_map::enter(at, 1, Tag::LARGE, record) {
        give_back(large);
        meta::free(record, size_of::<Large>());
        return None;
    }
    // SAFETY: a record of this size, ours alone; the block reaches no one before we return.
    unsafe { record.as_ptr::<Large>().write(large) };
    LIVE_BYTES.add(bytes as u64);
    LIVE_BLOCKS.add(1);
    Some(Fresh { at, zero })
}

/// Frees the block at `at`, whose granule is tagged LARGE. Ends the process when no block starts there.
pub(crate) fn free(at: Addr) {
    let record = {
        // Under the lock: of two frees at once, the second finds the entry struck out.
        let _guard = LARGE.lock();
        let record = find(at);
        if record.is_some() {
            page_map::strike(at, 1);
        }
        record
    };
    let Some(record) = record else { die(if record_of(at).is_some() { INTERIOR } else { FREED }, at) };
    // SAFETY: struck out, so nobody else finds the record any more; it is read once and then given back.
    let large = unsafe { record.as_ptr().read() }.also_free(record);
    LIVE_BYTES.sub(large.bytes as u64);
    LIVE_BLOCKS.sub(1);
    give_back(large);
}

/// Usable bytes of the block at `at`; `None` when no large block starts there.
pub(crate) fn usable(at: Addr) -> Option<usize> {
    // SAFETY: the caller holds the block, so its record is stable.
    find(at).map(|record| unsafe { record.as_ref() }.bytes)
}

/// Makes the block at `at` hold `size` bytes, in place or by moving pages. `None`: neither is possible, all as before.
pub(crate) fn resize(at: Addr, size: usize) -> Option<Addr> {
    let mut record = find(at)?;
    // SAFETY: the caller holds the block and gives it to us: no other thread may use it or its record.
    let large = unsafe { record.as_mut() };
    let old = large.bytes;
    let at = match large.slab {
        Some(_) => run::resize(large, round_up(size, GRANULE)?),
        None => mapping::resize(large, record, round_up(size, GRANULE)?),
    }?;
    LIVE_BYTES.add((large.bytes as u64).wrapping_sub(old as u64));
    Some(at)
}

fn give_back(large: Large) {
    match large.slab {
        Some(slab) => crate::superslab::release_slab(slab),
        None => mapping::give_back(large.base, large.bytes),
    }
}

fn record_of(at: Addr) -> Option<NonNull<Large>> {
    if page_map::tag(at) != Tag::LARGE {
        return None;
    }
    NonNull::new(page_map::record(at).as_ptr())
}

fn find(at: Addr) -> Option<NonNull<Large>> {
    // SAFETY: the record of a granule tagged LARGE; its base is written once, before it is entered.
    record_of(at).filter(|record| unsafe { (*record.as_ptr()).base } == at)
}

impl Large {
    fn also_free(self, record: NonNull<Large>) -> Large {
        meta::free(Addr::of(record.as_ptr()), size_of::<Large>());
        self
    }
}

/// Unmaps cached mappings until `want` bytes went back. Returns bytes. Any thread.
pub(crate) fn purge(want: usize) -> usize {
    mapping::purge(want)
}

/// Bytes that `purge` could give back. Any thread.
pub(crate) fn dirty_bytes() -> u64 {
    CACHED_BYTES.get()
}

/// Bytes of blocks that got a new mapping, so far. Any thread.
pub(crate) fn fresh_bytes() -> u64 {
    FRESH_BYTES.get()
}

/// Bytes of blocks in use that are no runs of slots. Any thread.
pub(crate) fn active_bytes() -> u64 {
    MAPPED_BYTES.get().saturating_sub(CACHED_BYTES.get())
}

pub(crate) fn at_fork(step: Fork) {
    lock::at_fork(&LARGE, step);
}

/// Figures of this box.
pub(crate) struct Snapshot {
    pub(crate) live_blocks: u64,
    pub(crate) live_bytes: u64,
    /// Own mappings, cached ones included; runs are the pool's.
    pub(crate) mapped_bytes: u64,
    pub(crate) cached_bytes: u64,
    pub(crate) purged_bytes: u64,
}

pub(crate) fn snapshot() -> Snapshot {
    Snapshot {
        live_blocks: LIVE_BLOCKS.get(),
        live_bytes: LIVE_BYTES.get(),
        mapped_bytes: MAPPED_BYTES.get(),
        cached_bytes: CACHED_BYTES.get(),
        purged_bytes: PURGED_BYTES.get(),
    }
}
