//! Box `large` (L6): blocks above 1 MiB, in mappings of their own, with a bounded cache of freed ones; below that what `realloc` grew,
//! up to 256 KiB in runs of slots, and large alignments in such runs.
//! Owns: `Large` records, the mappings, the cache.   Calls: base, os, stats, config, page_map, meta, trace, region, superslab.
//! Called by: hardened, reclaim, front, arena, report, abi.   Locks: `LARGE` (then pool → meta); `LINKS`, a leaf.   Threads: any.
//! A block starts a granule, and only that granule is in the page map. Large blocks of another kind (hardened ones) have their counts and
//! their holders here: their records begin with a `Large`.

mod blocks;
mod cache;
mod carry;
pub(crate) mod counts;
mod given;
mod held;
mod keep;
mod mapping;
mod owned;
mod pieces;
mod record;
mod run;
mod sampled;
mod snapshot;
pub(crate) mod warm;

use core::mem::offset_of;

use crate::base::layout::{self, At};
use crate::base::seats::PLACES;
use crate::stats::level::IN_USE;
use counts::MAPPED_BYTES;

pub(crate) use blocks::{alloc, alloc_growing, expand, free, resize, stays, usable};
pub(crate) use cache::{Cache, Range};
pub(crate) use counts::{active_bytes, dirty_bytes, fresh_bytes, is_dirtier_than, mapped_bytes};
pub(crate) use held::{holder, let_go, resized, serial};
pub(crate) use keep::IN_TURN;
pub(crate) use mapping::{purge, transfer};
pub(crate) use owned::take_noted;
pub(crate) use record::{Held, Large, claim, enroll, find, forget};
pub(crate) use sampled::{mark_sampled, take_sampled};
pub(crate) use snapshot::{Snapshot, snapshot};

/// `mapped`: where a record of another kind says how much is mapped for its block.
pub(crate) const fn layout(mapped: usize) -> layout::Large {
    layout::Large {
        base: offset_of!(Large, base),
        bytes: offset_of!(Large, bytes),
        size: offset_of!(Large, size),
        mapped,
        mapped_at: At((&raw const MAPPED_BYTES).cast()),
        in_use_at: At(IN_USE.mappings_at().cast()),
        seats_at: At((&raw const warm::SEATS).cast()),
        seats: warm::COUNT * PLACES,
    }
}

/// C1; with `alone`, when no other thread exists, the counter too, by which `others` wait elsewhere. Any thread.
#[cfg(feature = "paranoid")]
pub(crate) fn check_cache(alone: bool, others: usize) {
    // The lock is let go first: what finds no seat any more goes into the cache.
    let cached = keep::LARGE.lock().check();
    let bytes = cached + warm::check() + others;
    crate::os::require(
        !alone || bytes as u64 == dirty_bytes(),
        "C2: the count of cached bytes",
        crate::base::addr::Addr(bytes),
    );
}
