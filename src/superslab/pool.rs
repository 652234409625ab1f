//! The three stages of `acquire_slab`, and the way back.
//!
//! 1. an EMPTY run that this class used last: lock-free, from `free_slots`;
//! 2. any run with no ACTIVE slot in a SuperSlab in use, by the index: resident slots before fresh ones, best fit, then the
//!    fullest: under the mutex;
//! 3. a cached SuperSlab, else a new one from the OS (`superslab_refill`): under the mutex, but for the calls to the kernel.
//!
//! Hardened, 2 and 3 are about those SuperSlabs that serve the class alone (`apart`).
#![forbid(unsafe_code)]

use super::counts::{DIRTY, FRESH, RELEASED, SMALL, STAGE};
use super::slab::{SLOTS, Slab, SlabKind};
use super::state::{CHANGED, FREE_SLOTS, POOL};
use super::supply::{refill_group, refill_own, retire, retire_one_of_many, reuse_newest, superslab_refill};
use super::table::{self, Descriptors, SuperSlab};
use super::{aligned, apart, held_back};
use crate::base::addr::GRANULE;
use crate::base::bits::low_mask;
use crate::canary;
use crate::config;
use crate::stats::counter::Counter;
use crate::stats::level;
use crate::stats::text::Text;

/// How many debug lines of a kind a process prints.
const DEBUG_LINES: u64 = 64;

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

/// Stage 1. Apart: what it needs of the stack would lie under what the other stages do.
#[inline(never)]
fn pop_hint(kind: SlabKind, len: u32) -> Option<Slab> {
    while let Some((id, first)) = FREE_SLOTS.pop(kind) {
        let slab = table::get(id).and_then(|super_slab| claim(super_slab, id, first as u32, len, kind, Of::Empty));
        if let Some(slab) = slab {
            return opened(slab);
        }
    }
    None
}

/// Stages 2 and 3.
#[cold]
fn acquire_locked(kind: SlabKind, len: u32) -> Option<(Slab, usize)> {
    let (mut stage, mut own) = (1, apart::is_on(kind));
    loop {
        let found = if own { find_own(kind, len) } else { find(kind, len, &mut stage) };
        if let Some(slab) = found {
            return Some((slab, stage));
        }
        if own {
            // Where there can be none, or what there is can't be opened, others have to do.
            own = stage == 1 && refill_own(kind, len).is_some();
        } else {
            superslab_refill(len)?;
        }
        stage = 2;
    }
}

/// `find` among the SuperSlabs that serve `kind` alone. `None`: there is none, or its slots can't be opened.
#[cold]
#[inline(never)] // for the stack
fn find_own(kind: SlabKind, len: u32) -> Option<Slab> {
    let random = canary::draw();
    let mut pool = POOL.lock();
    let slab = loop {
        let (id, first) = pool.find_own(kind, len, random)?;
        let slab = table::get(id).and_then(|super_slab| claim(super_slab, id, first, len, kind, Of::Any));
        pool.file(id);
        if let Some(slab) = slab {
            break slab;
        }
    };
    drop(pool);
    opened(slab)
}

/// The slab, with its slots open; given back where that is refused.
#[inline(never)] // for the stack
fn opened(slab: Slab) -> Option<Slab> {
    if apart::open(&slab) {
        return Some(slab);
    }
    release_slab(slab);
    None
}

/// What the kernel need not be asked for.
#[inline(never)] // for the stack: it is over when the kernel is asked
fn find(kind: SlabKind, len: u32, stage: &mut usize) -> Option<Slab> {
    let mut pool = POOL.lock();
    loop {
        let Some((id, first)) = pool.find(len) else {
            reuse_newest(&mut pool)?;
            *stage = 2;
            continue;
        };
        let slab = table::get(id).and_then(|super_slab| claim(super_slab, id, first, len, kind, Of::Any));
        pool.file(id);
        if slab.is_some() {
            return slab;
        }
        // Stage 1 of another thread came between the look and the claim: look again.
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
        let Some((id, first)) = aligned::find(&mut pool.turn, high, len, align) else {
            drop(pool);
            let id = refill_group(align)?;
            pool = POOL.lock();
            // The search begins there.
            pool.turn = id;
            continue;
        };
        // Else stage 1 of another thread came in between.
        let slab = table::get(id).and_then(|super_slab| claim(super_slab, id, first, len, kind, Of::Aligned));
        pool.file(id);
        if slab.is_some() {
            return slab;
        }
    }
}

/// Which slots may be claimed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Empty,
    Any,
    /// Any, and found by where they lie: whether they are resident is chance, so fresh ones are no sign that others went too early, and are
    /// not counted.
    Aligned,
}

fn claim(super_slab: &SuperSlab, id: u32, first: u32, len: u32, kind: SlabKind, of: Of) -> Option<Slab> {
    let dirty = super_slab.word.acquire(low_mask(len) << first, of == Of::Empty)?;
    DIRTY.sub(dirty.count_ones() as u64);
    if of != Of::Aligned {
        FRESH.add((len - dirty.count_ones()) as u64);
    }
    activate(len);
    SMALL.add(kind.small_slots(len as u8));
    let base = super_slab.base().offset(first as usize * GRANULE);
    Some(Slab { base, id, first: first as u8, len: len as u8, kind, dirty: dirty != 0 })
}

/// Counts slots that became ACTIVE.
fn activate(slots: u32) {
    level::IN_USE.add_slots(slots as u64 * GRANULE as u64);
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
    release::<false>(slab);
}

/// The same of one of many at once: a SuperSlab that the cache has no room for stays in use, without an ACTIVE slot, until decay comes to its slots, in
/// steps. To unmap a GiB takes the kernel 0.2 s, and the caller would wait for it.
/// Hardened, it stays closed for a while instead.
pub(crate) fn release_one_of_many(slab: Slab) {
    let slab = if config::get::hardened() == config::hardened::FULL { held_back::hold(slab) } else { Some(slab) };
    slab.into_iter().for_each(release::<true>);
}

// A copy for each: what is asked at the end is not to be kept on the stack of the deepest calls.
#[inline(always)]
fn release<const ONE_OF_MANY: bool>(slab: Slab) {
    RELEASED.add(1);
    if config::get::ss_free_debug() == 1 && RELEASED.get() <= DEBUG_LINES {
        debug_line("release", &slab, 0);
    }
    let Some(super_slab) = table::get(slab.id) else { return };
    // Counted before the release: whoever takes the slots next counts them out again.
    DIRTY.add(slab.len as u64);
    SMALL.sub(slab.kind.small_slots(slab.len));
    level::IN_USE.sub_slots(slab.len as u64 * GRANULE as u64);
    let active = super_slab.word.release(slab.mask(), u32::MAX);
    CHANGED.note(&Descriptors, slab.id);
    FREE_SLOTS.push(slab.kind, slab.id, slab.first);
    if active == super_slab.absent() && super_slab.kind().is_none() {
        if ONE_OF_MANY { retire_one_of_many(slab.id, super_slab) } else { retire(slab.id, super_slab) }
    }
}

/// Gives back the last `slots` of a slab, fewer than it has. Its holder.
pub(crate) fn release_tail(slab: &mut Slab, slots: u32) {
    let keep = slab.len - slots as u8;
    let (base, first) = (slab.base.offset(keep as usize * GRANULE), slab.first + keep);
    slab.len = keep;
    release_slab(Slab { base, id: slab.id, first, len: slots as u8, kind: slab.kind, dirty: slab.dirty });
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
