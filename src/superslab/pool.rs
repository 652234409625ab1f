//! The three stages of `acquire_slab`, and the way back.
//!
//! 1. an EMPTY run that this class used last: lock-free, from `free_slots`;
//! 2. any run with no ACTIVE slot in a SuperSlab in use, the fullest first, resident slots before fresh ones: under the mutex;
//! 3. a cached SuperSlab, else a new one from the OS (`superslab_refill`): under the mutex.
#![forbid(unsafe_code)]

#[cfg(feature = "paranoid")]
#[path = "check.rs"]
mod check;

use super::aligned;
use super::cache::{Cache, Cached};
use super::free_slots::FreeSlots;
use super::huge::{self, Advice};
use super::sp_slot::Slots;
use super::table::{self, SuperSlab};
use super::{SLOTS, SUPERSLAB, Slab, SlabKind};
use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::{find_run, low_mask};
use crate::config;
use crate::os;
use crate::os::lock::Mutex;
use crate::stats::counter::Counter;
use crate::stats::level;
use crate::stats::text::Text;

#[cfg(feature = "paranoid")]
pub(crate) use check::{check, is_active};

/// How many SuperSlabs stage 2 compares before it takes the fullest: bounds its time in huge heaps.
const SCAN_LIMIT: usize = 256;
/// How many debug lines of a kind a process prints.
const DEBUG_LINES: u64 = 64;

/// # Invariants
/// - P1: numbers below `high` have descriptors.
/// - P2: in a word, ACTIVE and EMPTY slots are apart, and slots that do not exist are ACTIVE.
/// - P3: exactly the cached SuperSlabs and the spare numbers are RETIRED.
/// - P4: `ACTIVE` and `DIRTY` count the slots of these states, but for those on their way.
struct Pool {
    /// SuperSlab numbers below this were used at least once.
    high: u32,
    /// Numbers whose SuperSlab was unmapped, for reuse: a stack threaded through `base`.
    spare: Option<u32>,
    cache: Cache,
    /// The SuperSlab that was purged last.
    cursor: u32,
    /// Where the search for aligned runs goes on.
    turn: u32,
    /// Where the newest SuperSlab lies: the next one is asked for right below.
    last: Addr,
}

static POOL: Mutex<Pool> =
    Mutex::new(Pool { high: 0, spare: None, cache: Cache::new(), cursor: 0, turn: 0, last: Addr::NULL });
static FREE_SLOTS: FreeSlots = FreeSlots::new();
static STAGE: [Counter; 3] = [const { Counter::new() }; 3];
static MAPPED: Counter = Counter::new();
static MAPPED_BYTES: Counter = Counter::new();
static RELEASED: Counter = Counter::new();
/// Slots that are EMPTY, in SuperSlabs in use and cached.
static DIRTY: Counter = Counter::new();
/// Slots that were acquired clean, so far: each of their pages costs a fault.
static FRESH: Counter = Counter::new();
/// Slots that are ACTIVE.
static ACTIVE: Counter = Counter::new();
/// Of these, those that hold tiny blocks.
static TINY: Counter = Counter::new();
/// EMPTY slots whose pages went back to the kernel, so far.
static PURGED: Counter = Counter::new();

/// Takes `len` adjacent slots (1..=32), preferring those that `kind` used last. `None`: out of memory. Any thread.
pub(crate) fn acquire_slab(kind: SlabKind, len: u32) -> Option<Slab> {
    let (slab, stage) = match pop_hint(kind, len) {
        Some(slab) => (slab, 0),
        None => acquire_locked(kind, len)?,
    };
    if let Some(served) = STAGE.get(stage) {
        served.add(1);
        if config::get::ss_acquire_debug() == 1 && STAGE.iter().map(Counter::get).sum::<u64>() <= DEBUG_LINES {
            debug_line("acquire", &slab, stage as u64 + 1);
        }
    }
    Some(slab)
}

/// Stage 1.
fn pop_hint(kind: SlabKind, len: u32) -> Option<Slab> {
    while let Some((id, first)) = FREE_SLOTS.pop(kind) {
        let slab = table::get(id).and_then(|super_slab| claim(super_slab, id, first as u32, len, kind, true));
        if slab.is_some() {
            return slab;
        }
    }
    None
}

/// Stages 2 and 3.
#[cold]
fn acquire_locked(kind: SlabKind, len: u32) -> Option<(Slab, usize)> {
    let mut pool = POOL.lock();
    loop {
        while let Some((id, first)) = fullest(&pool, len) {
            let slab = table::get(id).and_then(|super_slab| claim(super_slab, id, first, len, kind, false));
            if let Some(slab) = slab {
                return Some((slab, 1));
            }
            // Stage 1 of another thread came between the look and the claim: look again.
        }
        superslab_refill(&mut pool, len)?;
        if let Some((id, first)) = fullest(&pool, len)
            && let Some(super_slab) = table::get(id)
            && let Some(slab) = claim(super_slab, id, first, len, kind, false)
        {
            return Some((slab, 2));
        }
    }
}

/// Takes `len` adjacent slots (1..=32) at a multiple of `align`, more than a granule. `None`: out of memory, or out of room for
/// whole SuperSlabs. Any thread.
pub(crate) fn acquire_aligned(kind: SlabKind, len: u32, align: usize) -> Option<Slab> {
    if align > aligned::ALIGN_MAX {
        return None;
    }
    let mut pool = POOL.lock();
    loop {
        let high = pool.high;
        let (id, first) = match aligned::find(&mut pool.turn, high, len, align) {
            Some(found) => found,
            None => {
                let id =
                    if align > SUPERSLAB { refill_group(&mut pool, align) } else { superslab_refill(&mut pool, len) }?;
                pool.turn = id;
                (id, aligned::find_in(table::get(id)?, len, align)?)
            }
        };
        // Else stage 1 of another thread came in between.
        if let Some(slab) = table::get(id).and_then(|super_slab| claim(super_slab, id, first, len, kind, false)) {
            return Some(slab);
        }
    }
}

/// Where a free run of `len` is: resident slots before fresh ones, then in the SuperSlab with the most ACTIVE slots.
/// Returns its number and the run's first slot.
fn fullest(pool: &Pool, len: u32) -> Option<(u32, u32)> {
    let mut best: Option<(u32, u32, (bool, u32))> = None;
    let mut seen = 0;
    for id in table::available(pool.high) {
        let Some(super_slab) = table::get(id) else { continue };
        let has_room = |slots: &Slots| slots.active != u32::MAX;
        let Some(slots) = super_slab.word.look().filter(has_room) else {
            table::clear_avail(id);
            // A release may have come between the look and the clear.
            if super_slab.word.look().is_some_and(|slots| has_room(&slots)) {
                table::set_avail(id);
            }
            continue;
        };
        let used = slots.active.count_ones();
        let resident = find_run(slots.empty, len);
        let rank = (resident.is_some(), used);
        if best.is_none_or(|(_, _, most)| rank > most)
            && let Some(first) = resident.or_else(|| find_run(!slots.active, len))
        {
            best = Some((id, first, rank));
        }
        seen += 1;
        if seen > SCAN_LIMIT && best.is_some() {
            break;
        }
    }
    best.map(|(id, first, _)| (id, first))
}

fn claim(super_slab: &SuperSlab, id: u32, first: u32, len: u32, kind: SlabKind, only_empty: bool) -> Option<Slab> {
    let dirty = super_slab.word.acquire(low_mask(len) << first, only_empty)?;
    DIRTY.sub(dirty.count_ones() as u64);
    FRESH.add((len - dirty.count_ones()) as u64);
    activate(len);
    TINY.add(kind.tiny_slots(len as u8));
    let base = super_slab.base().offset(first as usize * GRANULE);
    Some(Slab { base, id, first: first as u8, len: len as u8, kind, dirty: dirty != 0 })
}

/// Counts slots that became ACTIVE.
fn activate(slots: u32) {
    ACTIVE.add(slots as u64);
    level::ACTIVE.add(slots as u64 * GRANULE as u64);
}

/// Extends `slab` by the `more` slots behind it if they are free. Says whether it did. Any thread.
pub(crate) fn acquire_more(slab: &mut Slab, more: u32) -> bool {
    let end = slab.first as u32 + slab.len as u32;
    if end + more > SLOTS || slab.len as u32 + more > SLOTS {
        return false;
    }
    let Some(dirty) = table::get(slab.id).and_then(|owner| owner.word.acquire(low_mask(more) << end, false)) else {
        return false;
    };
    DIRTY.sub(dirty.count_ones() as u64);
    activate(more);
    slab.len += more as u8;
    slab.dirty |= dirty != 0;
    true
}

/// Gives slots back. They stay resident (EMPTY); a SuperSlab left without ACTIVE slots goes to the cache. Any thread.
pub(crate) fn release_slab(slab: Slab) {
    RELEASED.add(1);
    if config::get::ss_free_debug() == 1 && RELEASED.get() <= DEBUG_LINES {
        debug_line("release", &slab, 0);
    }
    let Some(super_slab) = table::get(slab.id) else { return };
    // Counted before the release: whoever takes the slots next counts them out again.
    DIRTY.add(slab.len as u64);
    ACTIVE.sub(slab.len as u64);
    TINY.sub(slab.kind.tiny_slots(slab.len));
    level::ACTIVE.sub(slab.len as u64 * GRANULE as u64);
    let active = super_slab.word.release(slab.mask(), u32::MAX);
    table::set_avail(slab.id);
    FREE_SLOTS.push(slab.kind, slab.id, slab.first);
    if active == super_slab.absent() {
        retire(slab.id, super_slab);
    }
}

/// Gives back the last `slots` of a slab, fewer than it has. Its holder.
pub(crate) fn release_tail(slab: &mut Slab, slots: u32) {
    let keep = slab.len - slots as u8;
    let (base, first) = (slab.base.offset(keep as usize * GRANULE), slab.first + keep);
    slab.len = keep;
    release_slab(Slab { base, id: slab.id, first, len: slots as u8, kind: slab.kind, dirty: slab.dirty });
}

#[cold]
fn retire(id: u32, super_slab: &SuperSlab) {
    retire_locked(&mut POOL.lock(), id, super_slab);
}

fn retire_locked(pool: &mut Pool, id: u32, super_slab: &SuperSlab) {
    // Another thread may have taken a slot or retired it first.
    let Some(dirty) = super_slab.word.retire(super_slab.absent()) else { return };
    let limit = config::get::superslab_cache().max(0) as usize;
    if let Some(oldest) = pool.cache.put(Cached { id, dirty }, limit) {
        unmap(pool, oldest);
    }
}

/// Unmaps a RETIRED SuperSlab, and those beside it that were only mapped for its alignment and never used: else each that goes
/// leaves a hole, and a mapping more to the kernel.
fn unmap(pool: &mut Pool, cached: Cached) {
    let Some(base) = table::get(cached.id).map(SuperSlab::base) else { return };
    unmap_one(pool, cached);
    for step in [1, u32::MAX] {
        let mut id = cached.id.wrapping_add(step);
        while let Some(super_slab) = table::get(id).filter(|_| id < pool.high)
            && super_slab.base().since(base).min(base.since(super_slab.base())) < aligned::ALIGN_MAX
            && let Some(dirty) = super_slab.word.retire(super_slab.absent())
        {
            unmap_one(pool, Cached { id, dirty });
            id = id.wrapping_add(step);
        }
    }
}

/// Unmaps a RETIRED SuperSlab, or puts it back in use, purged, when the kernel refuses.
fn unmap_one(pool: &mut Pool, cached: Cached) {
    let Some(super_slab) = table::get(cached.id) else { return };
    let len = super_slab.bytes();
    if os::unmap(super_slab.base(), len) {
        DIRTY.sub(cached.dirty.count_ones() as u64);
        PURGED.add(cached.dirty.count_ones() as u64);
        MAPPED.sub(1);
        MAPPED_BYTES.sub(len as u64);
        level::MAPPED.sub(len as u64);
        // The base field of a spare number links to the next one.
        super_slab.describe(Addr(pool.spare.map_or(0, |id| id as usize + 1)), 0);
        pool.spare = Some(cached.id);
        return;
    }
    let dirty = if os::purge(super_slab.base(), len) { 0 } else { cached.dirty };
    let purged = (cached.dirty.count_ones() - dirty.count_ones()) as u64;
    DIRTY.sub(purged);
    PURGED.add(purged);
    super_slab.word.publish(super_slab.absent(), dirty);
    table::set_avail(cached.id);
}

/// Puts one more SuperSlab in use, a cached one, else a new one, and says which. `None`: out of memory.
fn superslab_refill(pool: &mut Pool, len: u32) -> Option<u32> {
    if let Some(Cached { id, dirty }) = pool.cache.take_newest() {
        let super_slab = table::get(id)?;
        super_slab.word.publish(super_slab.absent(), dirty);
        table::set_avail(id);
        // A short one may not hold the run; the caller looks and comes back.
        return Some(id);
    }
    table::make(pool.spare.unwrap_or(pool.high))?;
    let (base, slots) = map(pool.last, len)?;
    enroll(pool, base, slots)
}

/// Puts as many new SuperSlabs in use as make `align` bytes, at a multiple of it, and says which is the first of them.
#[cold]
fn refill_group(pool: &mut Pool, align: usize) -> Option<u32> {
    table::make(pool.spare.unwrap_or(pool.high))?;
    let group = os::map_aligned(Addr(pool.last.0.saturating_sub(align) & !(align - 1)), align, align)?;
    let first = enroll(pool, group, SLOTS)?;
    for base in (SUPERSLAB..align).step_by(SUPERSLAB).map(|offset| group.offset(offset)) {
        if enroll(pool, base, SLOTS).is_none() {
            // Out of numbers, or of memory for descriptors.
            os::unmap(base, group.offset(align).since(base));
            break;
        }
    }
    pool.last = group;
    Some(first)
}

/// Puts a new mapping of `slots` slots in use. `None`: no descriptor for it.
fn enroll(pool: &mut Pool, base: Addr, slots: u32) -> Option<u32> {
    let id = pool.spare.unwrap_or(pool.high);
    let super_slab = table::make(id)?;
    if pool.spare == Some(id) {
        pool.spare = super_slab.base().0.checked_sub(1).map(|next| next as u32);
    } else {
        pool.high += 1;
    }
    pool.last = base;
    MAPPED.add(1);
    MAPPED_BYTES.add((slots as usize * GRANULE) as u64);
    level::MAPPED.add((slots as usize * GRANULE) as u64);
    let absent = !low_mask(slots);
    super_slab.describe(base, absent);
    // `MAPPED` counts this one already.
    let advice = huge::advice(MAPPED.get() - 1, TINY.get());
    super_slab.swap_huge(advice != Advice::Exempt);
    if advice != Advice::Leave {
        os::advise_huge(base, slots as usize * GRANULE, advice == Advice::Ask);
    }
    super_slab.word.publish(absent, 0);
    table::set_avail(id);
    Some(id)
}

/// A whole SuperSlab if the kernel gives one, else as many slots as it does, `len` at least.
fn map(last: Addr, len: u32) -> Option<(Addr, u32)> {
    let below = Addr(last.0.saturating_sub(SUPERSLAB));
    if let Some(base) = os::map_aligned(below, SUPERSLAB, SUPERSLAB) {
        return Some((base, SLOTS));
    }
    let mut slots = SLOTS / 2;
    while slots > len {
        if let Some(base) = os::map_aligned(Addr::NULL, slots as usize * GRANULE, GRANULE) {
            return Some((base, slots));
        }
        slots /= 2;
    }
    os::map_aligned(Addr::NULL, len as usize * GRANULE, GRANULE).map(|base| (base, len))
}

/// Gives memory back to the kernel until `want` bytes went or nothing is left: cached SuperSlabs are unmapped, oldest
/// first, EMPTY slots purged, round and round. Returns bytes. Any thread.
pub(crate) fn purge(want: usize) -> usize {
    let mut given = 0;
    let mut pool = POOL.lock();
    while given < want
        && let Some(oldest) = pool.cache.take_oldest()
    {
        given += oldest.dirty.count_ones() as usize * GRANULE;
        unmap(&mut pool, oldest);
    }
    // Huge ones last: a part of them can't go back without the rest being split.
    for huge in [false, true] {
        // Goes on where the last call stopped: a slot's turn comes about as late as it was freed late.
        for _ in 0..pool.high {
            if given >= want {
                break;
            }
            pool.cursor = if pool.cursor + 1 < pool.high { pool.cursor + 1 } else { 0 };
            let id = pool.cursor;
            let super_slab = table::get(id).filter(|super_slab| super_slab.is_huge() == huge);
            given += super_slab.map_or(0, |super_slab| purge_empty(&mut pool, id, super_slab));
        }
    }
    given
}

/// Bytes that `purge` could give back. Any thread.
pub(crate) fn dirty_bytes() -> u64 {
    DIRTY.get() * GRANULE as u64
}

/// Bytes of slots that nobody uses, touched or not. Any thread.
pub(crate) fn idle_bytes() -> u64 {
    MAPPED_BYTES.get().saturating_sub(active_bytes())
}

/// Bytes of slots acquired without old pages in them, so far. Any thread.
pub(crate) fn fresh_bytes() -> u64 {
    FRESH.get() * GRANULE as u64
}

/// Bytes of slots in use. Any thread.
pub(crate) fn active_bytes() -> u64 {
    ACTIVE.get() * GRANULE as u64
}

/// Purges the EMPTY slots of one SuperSlab, a run at a time.
fn purge_empty(pool: &mut Pool, id: u32, super_slab: &SuperSlab) -> usize {
    let mut given = 0;
    let Some(slots) = super_slab.word.look() else { return 0 };
    if slots.empty == 0 && slots.active == super_slab.absent() {
        // Never used: see `unmap`.
        retire_locked(pool, id, super_slab);
    }
    let mut left = slots.empty;
    while left != 0 {
        let first = left.trailing_zeros();
        let len = (!(left >> first)).trailing_zeros().min(SLOTS - first);
        let run = low_mask(len) << first;
        left &= !run;
        if super_slab.word.acquire(run, true).is_none() {
            continue;
        }
        huge::split(super_slab);
        let purged = os::purge(super_slab.base().offset(first as usize * GRANULE), len as usize * GRANULE);
        if purged {
            DIRTY.sub(len as u64);
            PURGED.add(len as u64);
        }
        let active = super_slab.word.release(run, if purged { 0 } else { run });
        given += if purged { len as usize * GRANULE } else { 0 };
        if active == super_slab.absent() {
            // Who released its last slot meanwhile saw ours in use.
            retire_locked(pool, id, super_slab);
            break;
        }
        table::set_avail(id);
    }
    given
}

fn debug_line(what: &str, slab: &Slab, stage: u64) {
    let mut text = Text::stderr();
    text.str("hakmem: ss ").str(what).str(" class=").num(slab.kind.0 as u64);
    text.str(" superslab=").num(slab.id as u64).str(" slot=").num(slab.first as u64);
    text.str(" len=").num(slab.len as u64);
    if stage > 0 {
        text.str(" stage=").num(stage);
    }
    text.str("\n");
}

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

/// Counts slots by state. Any thread.
pub(crate) fn snapshot() -> Snapshot {
    let pool = POOL.lock();
    let (mut full, mut active, mut empty, mut unused) = (0, 0, 0, 0);
    for super_slab in (0..pool.high).filter_map(table::get) {
        let Some(slots) = super_slab.word.look() else { continue };
        full += (slots.active == u32::MAX) as u64;
        active += (slots.active & !super_slab.absent()).count_ones() as u64;
        empty += slots.empty.count_ones() as u64;
        unused += (!slots.active & !slots.empty).count_ones() as u64;
    }
    Snapshot {
        superslabs: MAPPED.get(),
        full,
        mapped_bytes: MAPPED_BYTES.get(),
        active,
        empty,
        unused,
        cached: pool.cache.len() as u64,
        cached_dirty: pool.cache.dirty_slots(),
        stages: [STAGE[0].get(), STAGE[1].get(), STAGE[2].get()],
        released: RELEASED.get(),
        purged_bytes: PURGED.get() * GRANULE as u64,
        hints_dropped: FREE_SLOTS.dropped.get(),
    }
}
