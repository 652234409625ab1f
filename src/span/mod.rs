//! Box `span` (L4), T-BACKEND: slabs carved into equal blocks of one class, with a bitmap of the free ones out of line.
//! Owns: span records, the lists of a heap's spans by class, claims.   Calls: base, os, class, stats, canary, config, page_map, meta,
//! region, superslab.   Called by: baseline, heap, hardened, reclaim, front, report, abi.   Locks: `SHEETS`, of claims, and `RANGES_GATHERED`, leaves; all else runs under the lock of
//! the heap that owns the spans.
//! Never: writes into a block.

mod ahead;
mod backend;
mod bitmap;
pub(crate) mod claims;
mod dirty;
mod flush;
mod gather;
mod head;
mod lists;
mod live;
mod record;
mod refill;
mod reset;
mod sheets;
mod steps;
mod sweep;
mod transfer;

use crate::base::addr::Addr;
use crate::page_map;
use head::SpanHead;

pub(crate) use ahead::pays as pays_ahead;
pub(crate) use backend::{close, tiny_backend_acquire_span, tiny_backend_release_span};
pub(crate) use dirty::Dirty;
pub(crate) use flush::{Stop, flush, foreign};
pub(crate) use gather::Gather;
pub(crate) use lists::Spans;
#[cfg(feature = "paranoid")]
pub(crate) use lists::mark;
pub(crate) use live::{Live, WORDS as LIVE_WORDS};
pub(crate) use record::LAYOUT;
pub(crate) use refill::refill;
pub(crate) use reset::is_any_going;
pub(crate) use sheets::mapped as claims_mapped;
pub(crate) use steps::{Pause, Sweep, are_holes_left, begin, forget_holes, note_holes, settle, step};
pub(crate) use transfer::transfer;

/// Whether a block starts at `at`, whose granule has a span's tag. Takes no lock: see `head.rs`.
pub(crate) fn starts_block(at: Addr) -> bool {
    starts_block_of(page_map::record(at), at)
}

/// Whether the block that starts at `at` is from before the options were read. Takes no lock, as `starts_block`.
#[cold]
pub(crate) fn is_plain(at: Addr) -> bool {
    SpanHead::of(page_map::record(at)).is_some_and(|head| head.plain)
}

/// `starts_block`, for who asks that one when this says no: a look fewer, and mostly it is enough.
#[inline(always)]
pub(crate) fn surely_starts_block(at: Addr) -> bool {
    starts_block_of(page_map::first_record(at), at)
}

#[inline(always)]
fn starts_block_of(record: Addr, at: Addr) -> bool {
    SpanHead::of(record).is_some_and(|head| head.starting_at(at).is_some())
}
