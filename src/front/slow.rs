//! What the allocating hot paths leave to be decided: what else serves without a lock, and the way behind the gate to what takes one.

use super::ask::usable_size;
use super::checked;
use super::full;
use super::late;
use super::paranoid;
use super::profiled;
use super::recorded;
use super::requests;
use super::source::{self, Want, out_of_memory};
use super::warm;
use crate::base::block::Block;
use crate::base::fresh::Fresh;
use crate::baseline;
use crate::class::{BIG_MAX, ClassId};
use crate::heap::{self, Current};
use crate::os::{gate, tls};
use crate::reclaim;
use crate::record;

/// `alloc` when the magazine has none.
#[cold]
#[inline(never)]
pub(crate) fn alloc_slow(size: usize) -> *mut u8 {
    let word = tls::get();
    if !heap::is_plain(word) {
        return alloc_metered(size, word);
    }
    if record::may_be_on() {
        return recorded::alloc(size, alloc_unrecorded);
    }
    alloc_plain(size)
}

/// The same by a thread that is counted or checked.
#[inline(never)]
fn alloc_metered(size: usize, word: *mut u8) -> *mut u8 {
    if heap::is_checked(word) {
        return match checked::quick(word, size) {
            Some(block) => block.into_raw(),
            None => alloc_checked(size),
        };
    }
    if heap::is_full(word) { alloc_full(size, word) } else { alloc_checked(size) }
}

#[inline(never)]
fn alloc_full(size: usize, word: *mut u8) -> *mut u8 {
    match full::hit(word, size) {
        Some(fresh) => fresh.into_raw(),
        None => alloc_checked(size),
    }
}

/// The same, what a checked thread had not at hand.
#[inline(never)]
fn alloc_checked(size: usize) -> *mut u8 {
    if record::may_be_on() {
        return recorded::alloc(size, alloc_unrecorded);
    }
    alloc_any(tls::get(), size)
}

/// The same, of which nothing is recorded.
#[inline(never)]
pub(super) fn alloc_unrecorded(size: usize) -> *mut u8 {
    alloc_any(tls::get(), size)
}

#[inline(always)]
fn alloc_any(word: *mut u8, size: usize) -> *mut u8 {
    if heap::is_marked(word) {
        // SAFETY: as asked. (Not `metered`, whose answer the compiler would ask once more.)
        if let Some(fresh) = profiled::hit(unsafe { heap::of_marked(word) }, size) {
            return fresh.into_raw();
        }
    } else if heap::is_checked(word) {
        // SAFETY: as asked.
        if let Some(block) = checked::hit(unsafe { heap::of_marked(word) }, size) {
            return block.into_raw();
        }
    } else {
        return alloc_unmetered(size);
    }
    alloc_cold(size)
}

#[inline(never)]
fn alloc_unmetered(size: usize) -> *mut u8 {
    alloc_plain(size)
}

#[inline(always)]
fn alloc_plain(size: usize) -> *mut u8 {
    if size > BIG_MAX {
        return alloc_large(size);
    }
    match baseline_hit(size) {
        Some(block) => block.into_raw(),
        None => alloc_cold(size),
    }
}

/// Apart: the above needs no frame so.
#[inline(never)]
fn alloc_large(size: usize) -> *mut u8 {
    match warm::alloc(size) {
        Some(block) => block.into_raw(),
        None => alloc_cold(size),
    }
}

/// What the baseline has at hand.
#[inline(always)]
fn baseline_hit(size: usize) -> Option<Block> {
    let class = ClassId::of(size).filter(|class| class.is_tiny())?;
    match heap::current() {
        Current::Heap(heap) => baseline::hit(heap, class),
        Current::Unborn | Current::Late => None,
    }
}

#[cold]
#[inline(never)]
fn alloc_cold(size: usize) -> *mut u8 {
    behind_gate(size, 1, || source::block(size, 1, Want::Any)).map_or_else(out_of_memory, |fresh| fresh.into_raw())
}

/// `alloc_of_class` when the magazine has none.
#[cold]
#[inline(never)]
pub(super) fn alloc_aligned_slow(class: ClassId, size: usize, align: usize) -> *mut u8 {
    recorded::aligned(size, align, || alloc_unrecorded(class.block_size()))
}

/// `alloc_aligned` where no magazine may be asked.
#[cold]
#[inline(never)]
pub(super) fn alloc_aligned_cold(size: usize, align: usize) -> *mut u8 {
    recorded::aligned(size, align, || {
        behind_gate(size, align, || source::block(size, align, Want::Any))
            .map_or_else(out_of_memory, |fresh| fresh.into_raw())
    })
}

/// `alloc_zeroed` when the magazine has none.
#[cold]
#[inline(never)]
pub(super) fn alloc_zeroed_slow(size: usize) -> *mut u8 {
    if record::may_be_on() {
        return recorded::alloc_zeroed(size, alloc_zeroed_unrecorded);
    }
    alloc_zeroed_any(size)
}

/// The same, of which nothing is recorded.
#[inline(never)]
fn alloc_zeroed_unrecorded(size: usize) -> *mut u8 {
    alloc_zeroed_any(size)
}

#[inline(always)]
fn alloc_zeroed_any(size: usize) -> *mut u8 {
    let word = tls::get();
    let hit = if heap::is_marked(word) {
        // SAFETY: as asked.
        profiled::hit(unsafe { heap::of_marked(word) }, size)
    } else if heap::is_checked(word) {
        // SAFETY: as asked.
        checked::zeroed(unsafe { heap::of_marked(word) }, size)
    } else if heap::is_full(word) {
        full::zeroed(word, size)
    } else {
        None
    };
    let Some(fresh) = hit.or_else(|| alloc_zeroed_cold(size)) else { return out_of_memory() };
    let stale = fresh.stale(usable_size(fresh.at().as_ptr()).unwrap_or(size));
    let block = fresh.into_raw();
    // SAFETY: a live block of at least so many bytes, ours alone.
    unsafe { block.write_bytes(0, stale) };
    block
}

fn alloc_zeroed_cold(size: usize) -> Option<Fresh> {
    behind_gate(size, 1, || source::block(size, 1, Want::Zero))
}

/// What `serve` gives, which is called where locks may be taken; a block of the reserve when a fork forbids that.
#[inline]
pub(super) fn behind_gate(size: usize, align: usize, serve: impl FnOnce() -> Option<Fresh>) -> Option<Fresh> {
    requests::answer();
    reclaim::ensure_background();
    // Before anything is held: it unwinds.
    if let Some(sampled) = profiled::sample(size, align) {
        return Some(sampled);
    }
    let inside = match gate::enter_anew() {
        Some(inside) => inside,
        None => match late::alloc(size, align) {
            Ok(fresh) => return Some(fresh),
            Err(inside) => inside?,
        },
    };
    late::take_in();
    let fresh = serve();
    paranoid::after_slow_path();
    drop(inside);
    if fresh.is_none() {
        requests::refused();
    }
    fresh
}
