//! EMPTY slots back to the kernel: many runs by one call, and no lock held over it that anybody waits for but who purges too.
#![forbid(unsafe_code)]

use super::apart;
use super::cache::{CAP, Cache, Cached};
use super::counts::{DIRTY, PURGED};
use super::held_back;
use super::huge;
use super::slab::SLOTS;
use super::stale;
use super::state::{CHANGED, POOL, Pool};
use super::supply::{retire_cold, retire_locked, reuse, unmap};
use super::table::{self, Descriptors};
use crate::base::addr::{Addr, GRANULE};
use crate::base::aside::Aside;
use crate::base::bits::low_mask;
use crate::config;
use crate::os::lock::Mutex;
use crate::os::{self, Misuse, RANGES, Range};

/// Runs of slots on their way back, ACTIVE meanwhile.
struct Batch {
    ranges: [Range; RANGES],
    /// Which slots these are: a number and a mask.
    slots: [(u32, u32); RANGES],
    len: usize,
}

static BATCH: Aside<Mutex<Batch>> =
    Aside(Mutex::new(Batch { ranges: [Range { at: Addr::NULL, len: 0 }; RANGES], slots: [(0, 0); RANGES], len: 0 }));

/// Gives memory back to the kernel until `want` bytes went or nothing is left: EMPTY slots are purged, those of cached SuperSlabs first, which
/// stay mapped, and so cost no more than a fault when they are wanted again. Returns bytes. Any thread; one that does not want all
/// leaves it to who is at it already.
pub(crate) fn purge(want: usize) -> usize {
    let batch = if want == usize::MAX { Some(BATCH.lock()) } else { BATCH.try_lock() };
    let Some(mut batch) = batch else { return 0 };
    if want == usize::MAX {
        held_back::let_all_go();
        retire_unused();
    }
    let mut given = 0;
    while given < want {
        let mut pool = POOL.lock();
        reuse_dirty(&mut pool, want - given);
        batch.fill(&mut pool, want - given);
        drop(pool);
        if batch.len == 0 {
            break;
        }
        if let Some(misuse) = batch.written() {
            drop(batch);
            misuse.die();
        }
        let (bytes, whole) = batch.purge();
        given += bytes;
        // Refused: what is left would be too.
        if !whole {
            break;
        }
    }
    given
}

/// Gives addresses back too: no SuperSlab stays mapped that is not in use. Any thread.
pub(crate) fn unmap_cached() {
    // No more often than there are some: one that can't be unmapped comes back.
    for _ in 0..CAP {
        let oldest = POOL.lock().cache.take_oldest();
        let Some(oldest) = oldest else { break };
        unmap(oldest);
    }
}

/// Puts cached SuperSlabs that hold old bytes back in use, of `want` bytes or one more: their slots are EMPTY ones then, and once these are purged
/// they are cached again.
fn reuse_dirty(pool: &mut Pool, want: usize) {
    let mut left = want;
    while left > 0 {
        let Some(dirty) = pool.cache.take_dirty() else { break };
        left = left.saturating_sub(dirty.dirty.count_ones() as usize * GRANULE);
        reuse(pool, dirty);
    }
}

/// Retires SuperSlabs that were mapped for an alignment and never used: see `unmap`.
fn retire_unused() {
    let high = POOL.lock().high;
    // No more often than there are some: one that can't be unmapped comes back.
    for _ in 0..high {
        let taken = take_unused(&mut POOL.lock());
        let Some(too_many) = taken else { break };
        too_many.into_iter().for_each(unmap);
    }
}

/// Retires one. `None`: there is none; else what is now one too many in the cache.
fn take_unused(pool: &mut Pool) -> Option<Option<Cached>> {
    let id = pool.shared.free.find(SLOTS)?;
    let too_many = retire_locked(pool, id, table::get(id)?, Cache::put);
    pool.file(id);
    Some(too_many)
}

impl Batch {
    /// Takes EMPTY runs of `want` bytes, as far as there is room: the longest first, for they take the fewest calls, of
    /// these the ones released first; huge SuperSlabs last, since a part of them can't go without the rest being split.
    fn fill(&mut self, pool: &mut Pool, want: usize) {
        let mut left = want.div_ceil(GRANULE);
        pool.settle();
        while left > 0 && self.len < RANGES {
            let Some(id) = pool.find_longest_empty() else { break };
            left = left.saturating_sub(self.take(id, left));
            pool.file(id);
        }
    }

    /// Takes EMPTY runs of one SuperSlab, `most` slots at most. Returns how many.
    fn take(&mut self, id: u32, most: usize) -> usize {
        let Some(super_slab) = table::get(id) else { return 0 };
        let mut empty = super_slab.word.look().map_or(0, |slots| slots.empty);
        let mut taken = 0;
        while empty != 0 && taken < most && self.len < RANGES {
            let first = empty.trailing_zeros();
            // Of one that serves a single kind whole slabs, and more than asked for if need be: what is free there is a slab's place or several.
            let most = if super_slab.kind().is_some() { SLOTS as usize } else { most - taken };
            let len = (empty >> first).trailing_ones().min(most.min(SLOTS as usize) as u32);
            let run = low_mask(len) << first;
            empty &= !run;
            if super_slab.word.acquire(run, true).is_none() {
                continue;
            }
            // All of a huge page goes as one.
            if run != u32::MAX {
                huge::split(super_slab);
            }
            self.ranges[self.len % RANGES] =
                Range { at: super_slab.base().offset(first as usize * GRANULE), len: len as usize * GRANULE };
            self.slots[self.len % RANGES] = (id, run);
            self.len += 1;
            taken += len as usize;
        }
        taken
    }

    /// What somebody wrote into one of its runs after his free of it. Then they are nobody's any more.
    fn written(&mut self) -> Option<Misuse> {
        let mut slots = self.slots.iter().take(self.len);
        let misuse = slots.find_map(|&(id, run)| stale::look(table::get(id)?, run))?;
        self.len = 0;
        Some(misuse)
    }

    /// Gives all of it back to the kernel, and the slots to the pool. Returns the bytes that went, and whether all did.
    fn purge(&mut self) -> (usize, bool) {
        let ranges = self.ranges.get(..self.len).unwrap_or_default();
        let gone = os::purge_all(ranges, config::get::purge_batch() == 1);
        let mut given = 0;
        for (index, &(id, run)) in self.slots.iter().take(self.len).enumerate() {
            let Some(super_slab) = table::get(id) else { continue };
            let purged = gone >> index & 1 == 1;
            if purged {
                if super_slab.kind().is_some() {
                    apart::close(super_slab, run);
                }
                DIRTY.sub(run.count_ones() as u64);
                PURGED.add(run.count_ones() as u64);
                given += run.count_ones() as usize * GRANULE;
            }
            let active = super_slab.word.release(run, if purged { 0 } else { run });
            CHANGED.note(&Descriptors, id);
            if active == super_slab.absent() && super_slab.kind().is_none() {
                // Who released its last slot meanwhile saw ours in use.
                retire_cold(id, super_slab);
            }
        }
        let whole = gone.count_ones() as usize == self.len;
        self.len = 0;
        (given, whole)
    }
}

const _: () = assert!(RANGES <= 64, "a bit for each");
