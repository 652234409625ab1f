//! The pool's counters, as the reports read them.
#![forbid(unsafe_code)]

use super::counts::{MAPPED, MAPPED_BYTES, PURGED, RELEASED, STAGE};
use super::held_back;
use super::state::{FREE_SLOTS, POOL};
use super::table;
use crate::base::addr::GRANULE;

/// The pool's counters.
#[derive(Default)]
pub(crate) struct Snapshot {
    /// SuperSlabs that are mapped, cached ones included.
    pub(crate) superslabs: u64,
    /// Of those in use, the ones without a free slot.
    pub(crate) full: u64,
    pub(crate) mapped_bytes: u64,
    pub(crate) active: u64,
    pub(crate) empty: u64,
    pub(crate) unused: u64,
    pub(crate) cached: u64,
    pub(crate) cached_dirty: u64,
    pub(crate) stages: [u64; 3],
    pub(crate) released: u64,
    pub(crate) purged_bytes: u64,
    pub(crate) hints_dropped: u64,
}

/// Counts slots by state: what changes meanwhile may be counted as both or neither. Any thread.
pub(crate) fn snapshot() -> Snapshot {
    let pool = POOL.lock();
    let (high, cached, cached_dirty) = (pool.high, pool.cache.len() as u64, pool.cache.dirty_slots());
    drop(pool);
    let (mut full, mut active, mut empty, mut unused) = (0, 0, 0, 0);
    for super_slab in (0..high).filter_map(table::get) {
        let Some(slots) = super_slab.word.look() else { continue };
        full += (slots.active == u32::MAX) as u64;
        active += (slots.active & !super_slab.absent()).count_ones() as u64;
        empty += slots.empty.count_ones() as u64;
        unused += (!slots.active & !slots.empty).count_ones() as u64;
    }
    active = active.saturating_sub(held_back::slots());
    Snapshot {
        superslabs: MAPPED.get(),
        full,
        mapped_bytes: MAPPED_BYTES.get(),
        active,
        empty,
        unused,
        cached,
        cached_dirty,
        stages: [STAGE[0].get(), STAGE[1].get(), STAGE[2].get()],
        released: RELEASED.get(),
        purged_bytes: PURGED.get() * GRANULE as u64,
        hints_dropped: FREE_SLOTS.dropped.get(),
    }
}
