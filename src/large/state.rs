//! What the box has beside its blocks: the cache of freed mappings, and its counts.
#![forbid(unsafe_code)]

use super::cache::Cache;
use crate::base::aside::Aside;
use crate::os::lock::Mutex;
use crate::stats::counter::Counter;
use crate::stats::level::IN_USE;

pub(super) static LARGE: Aside<Mutex<Cache>> = Aside(Mutex::new(Cache::new()));
/// Blocks that are runs of slots, and their bytes. Those with mappings of their own are counted by `IN_USE`.
pub(super) static RUNS: Counter = Counter::new();
pub(super) static RUN_BYTES: Counter = Counter::new();
/// Own mappings, those that nobody uses included: they wait at a seat or in the cache (C2).
pub(super) static MAPPED_BYTES: Counter = Counter::new();
/// Of mappings in use, what is no block's: closed pages of fenced ones, and those that could not be unmapped.
pub(super) static CLOSED_BYTES: Counter = Counter::new();
/// Bytes mapped anew so far.
pub(super) static FRESH_BYTES: Counter = Counter::new();
/// Bytes of the cache that went back to the kernel, so far.
pub(super) static PURGED_BYTES: Counter = Counter::new();

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
