//! Stage 3 and what undoes it: SuperSlabs from the cache and from the kernel, and back.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use super::aligned;
use super::apart::{self, Room};
use super::cache::{CAP, Cache, Cached};
use super::counts::{DIRTY, EVICTED, MAPPED, MAPPED_BYTES, PURGED, SMALL, active_bytes, dirty_bytes};
use super::huge;
use super::slab::{SLOTS, SUPERSLAB, SlabKind};
use super::stale;
use super::state::{POOL, Pool};
use super::table::{self, SuperSlab};
use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::low_mask;
use crate::canary;
use crate::config;
use crate::os;
use crate::os::lock::Mutex;
use crate::os::names::{self, Name};
use crate::page_map;
use crate::stats::level;

/// Whoever asks the kernel for a SuperSlab holds it: the others who need one wait for that one, and nobody else for the kernel.
/// Taken before the pool's.
static GROWTH: Mutex<()> = Mutex::new(());

/// Puts one more SuperSlab in use, a new one of `len` slots at least, unless another thread just did. It may no longer hold such a run: look, and
/// come back. `None`: out of memory. Called without the pool's lock.
#[cold]
pub(super) fn superslab_refill(len: u32) -> Option<()> {
    let _growth = GROWTH.lock();
    let pool = POOL.lock();
    if pool.shared.find(len).is_some() || pool.cache.len() > 0 {
        // Another thread has given one back, or put one in use, since the look.
        return Some(());
    }
    table::make(pool.spare.unwrap_or(pool.high))?;
    let last = pool.last;
    drop(pool);
    let (base, slots) = map(last, len)?;
    let bytes = slots as usize * GRANULE;
    let is_huge = advise(base, bytes);
    let enrolled = enroll(&mut POOL.lock(), base, slots, is_huge);
    if enrolled.is_none() {
        os::unmap(base, bytes);
    }
    apart::note_shared();
    enrolled.map(|_| ())
}

/// Puts one more SuperSlab in use that serves `kind` alone, in slabs of `len` slots, unless another thread just did. `None`: that can't be. Called without
/// the pool's lock.
#[cold]
#[inline(never)] // for the stack
pub(super) fn refill_own(kind: SlabKind, len: u32) -> Option<()> {
    let _growth = GROWTH.lock();
    if is_wanted(kind, len)? {
        enroll_own(place_for_own()?, apart::absent(len), kind)?;
    }
    Some(())
}

/// Whether there is still none with a free run of `len`; makes sure of a descriptor for another then.
#[inline(never)] // for the stack
fn is_wanted(kind: SlabKind, len: u32) -> Option<bool> {
    let pool = POOL.lock();
    if pool.own.get(kind.0 as usize)?.find(len).is_some() {
        return Some(false);
    }
    table::make(pool.spare.unwrap_or(pool.high)).map(|_| true)
}

/// Where another one may be. Under the lock of growth.
#[inline(never)] // for the stack
fn place_for_own() -> Option<Addr> {
    let mut pool = POOL.lock();
    let mut place = pool.room.take(canary::draw());
    drop(pool);
    if place.is_none() {
        let fresh = apart::reserve()?;
        let mut pool = POOL.lock();
        pool.room = Room::of(fresh);
        place = pool.room.take(canary::draw());
    }
    // Refused, its addresses are lost: no more than that.
    place.filter(|base| page_map::prepare(*base, SLOTS as usize))
}

#[inline(never)] // for the stack
fn enroll_own(base: Addr, absent: u32, kind: SlabKind) -> Option<()> {
    let mut pool = POOL.lock();
    let (id, super_slab) = number(&mut pool)?;
    MAPPED.add(1);
    super_slab.describe(base, absent, Some(kind));
    super_slab.swap_huge(false);
    super_slab.word.publish(absent, 0);
    pool.file(id);
    Some(())
}

/// Puts as many new SuperSlabs in use as make `align` bytes, at a multiple of it, and says which is the first of them; for smaller alignments
/// one, which may be a cached one. `None`: out of memory. Called without the pool's lock.
#[cold]
pub(super) fn refill_group(align: usize) -> Option<u32> {
    let bytes = align.max(SUPERSLAB);
    let _growth = GROWTH.lock();
    let mut pool = POOL.lock();
    let cached = if bytes == SUPERSLAB { reuse_newest(&mut pool) } else { None };
    if cached.is_some() {
        return cached;
    }
    table::make(pool.spare.unwrap_or(pool.high))?;
    let hint = Addr(pool.last.0.saturating_sub(bytes) & !(bytes - 1));
    drop(pool);
    let group = map_slots(hint, (bytes / GRANULE) as u32, bytes)?;
    let is_huge = advise(group, bytes);
    let mut pool = POOL.lock();
    let mut first = None;
    for base in (0..bytes).step_by(SUPERSLAB).map(|offset| group.offset(offset)) {
        let Some(id) = enroll(&mut pool, base, SLOTS, is_huge) else {
            drop(pool);
            // Out of numbers, or of memory for descriptors.
            os::unmap(base, group.offset(bytes).since(base));
            return first;
        };
        first = first.or(Some(id));
    }
    pool.last = group;
    first
}

/// Tells the kernel whether a new mapping, which nobody knows yet, is to be of huge pages.
fn advise(base: Addr, bytes: usize) -> bool {
    let is_huge = huge::is_wanted(MAPPED.get(), SMALL.get());
    os::advise_huge(base, bytes, is_huge);
    is_huge
}

/// The next SuperSlab's number, which is taken, and its descriptor. `None`: there are no more, or no memory for it.
fn number(pool: &mut Pool) -> Option<(u32, &'static SuperSlab)> {
    let id = pool.spare.unwrap_or(pool.high);
    let super_slab = table::make(id)?;
    if pool.spare == Some(id) {
        pool.spare = super_slab.base().0.checked_sub(1).map(|next| next as u32);
    } else {
        pool.high += 1;
    }
    Some((id, super_slab))
}

/// Puts a new mapping of `slots` slots in use. `None`: no descriptor for it.
fn enroll(pool: &mut Pool, base: Addr, slots: u32, is_huge: bool) -> Option<u32> {
    let (id, super_slab) = number(pool)?;
    pool.last = base;
    MAPPED.add(1);
    MAPPED_BYTES.add((slots as usize * GRANULE) as u64);
    level::MAPPED.add((slots as usize * GRANULE) as u64);
    let absent = !low_mask(slots);
    super_slab.describe(base, absent, None);
    super_slab.swap_huge(is_huge);
    super_slab.word.publish(absent, 0);
    pool.file(id);
    Some(id)
}

/// A whole SuperSlab if the kernel gives one, else as many slots as it does, `len` at least. Under `ulimit -v` the page map may need
/// some of what is left too.
pub(super) fn map(last: Addr, len: u32) -> Option<(Addr, u32)> {
    let below = Addr(last.0.saturating_sub(SUPERSLAB));
    if let Some(base) = map_slots(below, SLOTS, SUPERSLAB) {
        return Some((base, SLOTS));
    }
    let mut slots = SLOTS / 2;
    while slots > len {
        if let Some(base) = map_slots(Addr::NULL, slots, GRANULE) {
            return Some((base, slots));
        }
        slots /= 2;
    }
    map_slots(Addr::NULL, len, GRANULE).map(|base| (base, len))
}

/// A mapping of `slots` slots of which the page map can tell. `None`: there is none.
fn map_slots(hint: Addr, slots: u32, align: usize) -> Option<Addr> {
    let base = os::map_aligned(hint, slots as usize * GRANULE, align)?;
    names::give(base, slots as usize * GRANULE, Name::Blocks);
    if page_map::prepare(base, slots as usize) {
        return Some(base);
    }
    os::unmap(base, slots as usize * GRANULE);
    None
}

/// Retires a SuperSlab none of whose slots is ACTIVE. Called without the lock: what the cache has no room for is unmapped.
#[cold]
pub(super) fn retire(id: u32, super_slab: &SuperSlab) {
    let too_many = {
        let mut pool = POOL.lock();
        if is_to_stay(&pool) {
            return;
        }
        retire_locked(&mut pool, id, super_slab, Cache::put)
    };
    if let Some(oldest) = too_many {
        EVICTED.add(oldest.dirty.count_ones() as u64);
        unmap(oldest);
    }
}

/// Bytes of slots, ACTIVE and EMPTY, up to which none is unmapped for want of room in the cache: written by who watches what is missed. Relaxed: it
/// guides a policy and publishes nothing.
static KEPT: AtomicU64 = AtomicU64::new(0);

/// From now on what is EMPTY stays mapped where the cache has no room, as far as it comes to `bytes` with what is ACTIVE. Any thread.
pub(crate) fn keep(bytes: u64) {
    KEPT.store(bytes, Ordering::Relaxed);
}

/// Whether a SuperSlab without an ACTIVE slot stays as it is, for want of room in the cache: `HAKMEM_TRIM_THRESHOLD` is not reached, or what is kept.
/// Who wants no cache wants none of that.
fn is_to_stay(pool: &Pool) -> bool {
    let (limit, dirty) = (cache_limit(), dirty_bytes());
    let is_kept = || limit > 0 && dirty + active_bytes() < KEPT.load(Ordering::Relaxed);
    pool.cache.len() >= limit && (dirty < config::get::trim_threshold() as u64 || is_kept())
}

/// `retire`, but where the cache has no room and decay is to come to it: then it stays as it is.
#[cold]
pub(super) fn retire_one_of_many(id: u32, super_slab: &SuperSlab) {
    let decays = config::get::decay_ms() > 0 && config::get::trim_threshold() == 0;
    if !decays || POOL.lock().cache.len() < cache_limit() {
        retire(id, super_slab);
    }
}

/// How many SuperSlabs the cache may hold.
fn cache_limit() -> usize {
    (config::get::superslab_cache().max(0) as usize).min(CAP)
}

/// The same, to be the first in the cache to go: a part of it has gone already.
#[cold]
pub(super) fn retire_cold(id: u32, super_slab: &SuperSlab) {
    let too_many = retire_locked(&mut POOL.lock(), id, super_slab, Cache::put_oldest);
    if let Some(itself) = too_many {
        unmap(itself);
    }
}

/// How a SuperSlab gets into the cache, and what of it is then one too many.
type Put = fn(&mut Cache, Cached, usize) -> Option<Cached>;

/// Retires it into the cache. Returns what is now one too many there, for `unmap`.
pub(super) fn retire_locked(pool: &mut Pool, id: u32, super_slab: &SuperSlab, put: Put) -> Option<Cached> {
    // Another thread may have taken a slot or retired it first.
    let dirty = super_slab.word.retire(super_slab.absent())?;
    pool.file(id);
    put(&mut pool.cache, Cached { id, dirty }, cache_limit())
}

/// Puts the SuperSlab that was cached last back in use, and says which it is. A short one may not hold what is wanted.
pub(super) fn reuse_newest(pool: &mut Pool) -> Option<u32> {
    let cached = pool.cache.take_newest()?;
    reuse(pool, cached);
    Some(cached.id)
}

/// Puts one that was in the cache back in use, though nobody may want it yet.
pub(super) fn reuse(pool: &mut Pool, Cached { id, dirty }: Cached) {
    if let Some(super_slab) = table::get(id) {
        super_slab.word.publish(super_slab.absent(), dirty);
        pool.file(id);
    }
}

/// Unmaps a RETIRED SuperSlab that is not in the cache, and those beside it that were only mapped for its alignment and never used: else each
/// that goes leaves a hole, and a mapping more to the kernel. Called without the lock: nobody waits for the kernel.
pub(super) fn unmap(cached: Cached) {
    let Some(base) = table::get(cached.id).map(SuperSlab::base) else { return };
    unmap_one(cached);
    for step in [1, u32::MAX] {
        let mut id = cached.id.wrapping_add(step);
        while let Some(unused) = retire_beside(id, base) {
            unmap_one(unused);
            id = id.wrapping_add(step);
        }
    }
}

/// Retires the SuperSlab of this number if all its slots are UNUSED and it lies near `base`.
#[inline(never)] // for the stack: a release deep down may end here
fn retire_beside(id: u32, base: Addr) -> Option<Cached> {
    let mut pool = POOL.lock();
    let super_slab = table::get(id).filter(|super_slab| id < pool.high && super_slab.kind().is_none())?;
    if super_slab.base().since(base).min(base.since(super_slab.base())) >= aligned::ALIGN_MAX {
        return None;
    }
    // One that stays by `is_to_stay` has EMPTY ones.
    super_slab.word.look().filter(|slots| slots.empty == 0)?;
    let dirty = super_slab.word.retire(super_slab.absent())?;
    pool.file(id);
    Some(Cached { id, dirty })
}

/// Unmaps a RETIRED SuperSlab, or puts it back in use, purged, when the kernel refuses, and as it is where it was written to after a free.
#[inline(never)] // for the stack
fn unmap_one(cached: Cached) {
    let Some(super_slab) = table::get(cached.id) else { return };
    let (base, len) = (super_slab.base(), super_slab.bytes());
    // RETIRED, in no cache and no spare number: nobody else comes to it. What is written there stays for who can report it, which nobody may here:
    // the caller may hold its heap's lock.
    let written = stale::look(super_slab, cached.dirty).is_some();
    let gone = !written && os::unmap(base, len);
    let dirty = if gone || !written && os::purge(base, len) { 0 } else { cached.dirty };
    let mut pool = POOL.lock();
    let purged = (cached.dirty.count_ones() - dirty.count_ones()) as u64;
    DIRTY.sub(purged);
    PURGED.add(purged);
    if gone {
        MAPPED.sub(1);
        MAPPED_BYTES.sub(len as u64);
        level::MAPPED.sub(len as u64);
        // The base field of a spare number links to the next one.
        super_slab.describe(Addr(pool.spare.map_or(0, |id| id as usize + 1)), 0, None);
        pool.spare = Some(cached.id);
    } else {
        reuse(&mut pool, Cached { id: cached.id, dirty });
    }
}
