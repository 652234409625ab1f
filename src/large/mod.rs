//! Box `large` (L6): blocks above 1 MiB, in mappings of their own, with a bounded cache of freed ones; below that what `realloc` grew,
//! up to 256 KiB in runs of slots, and large alignments in such runs.
//! Owns: `Large` records, the mappings, the cache.   Calls: base, os, class, stats, canary, config, page_map, meta, trace, profile, region, superslab.
//! Called by: reclaim, front, arena, report, abi.   Locks: `LARGE` → `RETIRED` → `LAND` (then pool → meta); `WAITING` and `LINKS`, leaves.   Threads: any.
//! A block starts a granule, and only that granule is in the page map.

mod blocks;
mod cache;
mod cuts;
mod fenced;
mod given;
mod held;
mod keep;
mod mapping;
mod owned;
mod parked;
mod pieces;
mod record;
mod run;
mod sampled;
mod site;
mod snapshot;
mod state;
mod warm;

use core::mem::offset_of;

use crate::base::layout::{self, At};
use crate::base::seats::PLACES;
use crate::stats::level::IN_USE;
use record::Large;
use state::MAPPED_BYTES;

pub(crate) use blocks::{
    alloc, alloc_growing, alloc_warm, cut, expand, free, free_warm, purge, resize, take_in, usable,
};
pub(crate) use held::{holder, serial};
pub(crate) use owned::free_noted;
pub(crate) use record::Held;
pub(crate) use sampled::{mark_sampled, take_sampled};
pub(crate) use snapshot::{Snapshot, snapshot};
pub(crate) use state::{active_bytes, dirty_bytes, fresh_bytes, is_dirtier_than, mapped_bytes};
pub(crate) use warm::Freed;

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

/// C1; with `alone`, when no other thread exists, the counter too. Any thread.
#[cfg(feature = "paranoid")]
pub(crate) fn check_cache(alone: bool) {
    // The lock is let go first: what finds no seat any more goes into the cache.
    let cached = state::LARGE.lock().check();
    let bytes = cached + warm::check() + parked::check();
    crate::os::require(
        !alone || bytes as u64 == dirty_bytes(),
        "C2: the count of cached bytes",
        crate::base::addr::Addr(bytes),
    );
}
