//! Feature `paranoid`: the walker over the shared pool.
#![forbid(unsafe_code)]

use super::counts::{DIRTY, MAPPED, active_bytes};
use super::held_back;
use super::slab::Slab;
use super::state::POOL;
use super::table;
use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::longest_run;
use crate::os::require;

/// Every slot of a slab somebody holds is ACTIVE.
pub(crate) fn is_active(slab: &Slab) -> bool {
    let held = |super_slab: &'static table::SuperSlab| {
        let base = super_slab.base().offset(slab.first as usize * GRANULE);
        base == slab.base && super_slab.word.look().is_some_and(|slots| slots.active & slab.mask() == slab.mask())
    };
    table::get(slab.id).is_some_and(held)
}

/// P1 to P3 and the index; with `alone`, when no other thread exists, the counters too. Any thread.
pub(crate) fn check(alone: bool) {
    let mut pool = POOL.lock();
    pool.settle();
    let (mut retired, mut active, mut empty) = (0, 0, 0);
    for id in 0..pool.high {
        let Some(super_slab) = table::get(id) else {
            return require(false, "P1: a SuperSlab without a descriptor", Addr(id as usize));
        };
        let Some(slots) = super_slab.word.look() else {
            retired += 1;
            continue;
        };
        let (base, absent) = (super_slab.base(), super_slab.absent());
        require(slots.active & slots.empty == 0, "P2: a slot is ACTIVE and EMPTY", base);
        require(slots.active & absent == absent, "P2: an absent slot can be had", base);
        active += (slots.active & !absent).count_ones() as u64;
        empty += slots.empty.count_ones() as u64;
    }
    let mut spares = 0;
    let mut spare = pool.spare;
    while let Some(id) = spare.filter(|_| spares <= pool.high) {
        let retired = table::get(id).filter(|super_slab| super_slab.word.look().is_none());
        let Some(super_slab) = retired else {
            return require(false, "P3: a spare number is in use", Addr(id as usize));
        };
        spares += 1;
        spare = super_slab.base().0.checked_sub(1).map(|next| next as u32);
    }
    // With others at work some may be on their way: out of the cache, and not unmapped yet.
    let kept = spares + pool.cache.len() as u32;
    require(
        retired == kept || retired > kept && !alone,
        "P3: what is RETIRED is cached or spare",
        Addr(retired as usize),
    );
    require(MAPPED.get() == (pool.high - spares) as u64, "P3: the count of SuperSlabs", Addr(pool.high as usize));
    let filed = |by: fn(u32, u32) -> u32| {
        move |id: u32, set: u32| {
            let slots = table::get(id).and_then(|super_slab| super_slab.word.look());
            let longest = slots.map_or(0, |slots| longest_run(by(slots.active, slots.empty)));
            // With others at work one may have been released since.
            require(!alone || set >= longest, "I3: a longer run than the index knows", Addr(id as usize));
        }
    };
    let mut members = 0;
    for indexes in core::iter::once(&pool.shared).chain(&pool.own) {
        indexes.empty.check(filed(|_, empty| empty));
        members += indexes.free.check(filed(|active, _| !active));
    }
    require(members <= pool.high - spares, "I1: a member too many", Addr(members as usize));
    if alone {
        let active = active - held_back::slots();
        require(active_bytes() == active * GRANULE as u64, "P4: the count of ACTIVE slots", Addr(active as usize));
        require(DIRTY.get() == empty + pool.cache.dirty_slots(), "P4: the count of EMPTY slots", Addr(empty as usize));
    }
}
