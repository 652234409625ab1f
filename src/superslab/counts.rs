//! What the pool counts.
#![forbid(unsafe_code)]

use crate::base::addr::GRANULE;
use crate::stats::counter::Counter;
use crate::stats::level::IN_USE;

pub(super) static STAGE: [Counter; 3] = [const { Counter::new() }; 3];
pub(super) static MAPPED: Counter = Counter::new();
pub(super) static MAPPED_BYTES: Counter = Counter::new();
pub(super) static RELEASED: Counter = Counter::new();
/// Slots that are EMPTY, in SuperSlabs in use and cached.
pub(super) static DIRTY: Counter = Counter::new();
/// Slots that were acquired clean, so far, but for aligned runs: each of their pages costs a fault.
pub(super) static FRESH: Counter = Counter::new();
/// EMPTY slots that were unmapped for want of room in the cache, so far.
pub(super) static EVICTED: Counter = Counter::new();
/// ACTIVE slots that hold blocks no larger than a page. How many are ACTIVE is told by `IN_USE`.
pub(super) static SMALL: Counter = Counter::new();
/// EMPTY slots whose pages went back to the kernel, so far.
pub(super) static PURGED: Counter = Counter::new();

/// Bytes that `purge` could give back. Any thread.
pub(crate) fn dirty_bytes() -> u64 {
    DIRTY.get() * GRANULE as u64
}

/// Bytes of slots that nobody uses, touched or not. Any thread.
pub(crate) fn idle_bytes() -> u64 {
    MAPPED_BYTES.get().saturating_sub(active_bytes())
}

/// Slabs acquired so far, but for aligned ones. Any thread.
pub(crate) fn acquired() -> u64 {
    STAGE.iter().map(Counter::get).sum()
}

/// Bytes of slots acquired without old pages in them, so far. Any thread.
pub(crate) fn fresh_bytes() -> u64 {
    FRESH.get() * GRANULE as u64
}

/// Bytes of EMPTY slots that were unmapped for want of room in the cache, so far. Any thread.
pub(crate) fn evicted_bytes() -> u64 {
    EVICTED.get() * GRANULE as u64
}

/// Bytes of slots in use. Any thread.
pub(crate) fn active_bytes() -> u64 {
    IN_USE.slots_bytes()
}
