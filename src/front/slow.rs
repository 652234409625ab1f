//! What the allocating hot paths leave to be decided: who is calling, and in which mode.

use errno::{Errno, set_errno};

use super::checked;
use super::late;
use super::paranoid;
use super::profiled;
use super::realloc::usable_size;
use super::recorded;
use super::requests;
use super::thread::{self, Caller};
use super::trim;
use super::warm;
use crate::base::addr::{Addr, GRANULE};
use crate::base::fresh::Fresh;
use crate::baseline;
use crate::class::ClassId;
use crate::config;
use crate::guard;
use crate::hardened;
use crate::heap::{self, OwnHeap};
use crate::large;
use crate::os::{gate, tls};
use crate::reclaim;
use crate::record;

/// Null, with ENOMEM.
#[cold]
pub(crate) fn out_of_memory() -> *mut u8 {
    set_errno(Errno(libc::ENOMEM));
    core::ptr::null_mut()
}

/// `alloc` when the magazine has none.
#[cold]
#[inline(never)]
pub(crate) fn alloc_slow(size: usize) -> *mut u8 {
    if record::may_be_on() {
        return recorded::alloc(size);
    }
    alloc_any(size)
}

/// The same, of which nothing is recorded.
#[inline(never)]
pub(super) fn alloc_unrecorded(size: usize) -> *mut u8 {
    alloc_any(size)
}

#[inline(always)]
fn alloc_any(size: usize) -> *mut u8 {
    let word = tls::get();
    if heap::is_marked(word) {
        // SAFETY: as asked. (Not `metered`, whose answer the compiler would ask once more.)
        return profiled::alloc(unsafe { heap::of_marked(word) }, size);
    }
    if heap::is_checked(word) {
        // SAFETY: as asked.
        return checked::alloc(unsafe { heap::of_marked(word) }, size);
    }
    match warm::alloc(size) {
        Some(at) => at.as_ptr(),
        None => alloc_cold(size),
    }
}

#[cold]
#[inline(never)]
pub(super) fn alloc_cold(size: usize) -> *mut u8 {
    let block = behind_gate(size, 1, || match (strict(), ClassId::of(size)) {
        (Some(mode), _) => alloc_strict(mode, size, 1),
        (None, Some(class)) => try_any_class(class),
        (None, None) => try_large(size, 1),
    });
    block.map_or_else(out_of_memory, |fresh| fresh.at.as_ptr())
}

/// `alloc_of_class` when the magazine has none.
#[cold]
#[inline(never)]
pub(super) fn alloc_aligned_slow(class: ClassId, size: usize, align: usize) -> *mut u8 {
    recorded::aligned(size, align, || alloc_unrecorded(class.block_size()))
}

/// `alloc_zeroed` when the magazine has none.
#[cold]
#[inline(never)]
pub(super) fn alloc_zeroed_slow(size: usize) -> *mut u8 {
    if record::may_be_on() {
        return recorded::alloc_zeroed(size);
    }
    alloc_zeroed_any(size)
}

/// The same, of which nothing is recorded.
#[inline(never)]
pub(super) fn alloc_zeroed_unrecorded(size: usize) -> *mut u8 {
    alloc_zeroed_any(size)
}

#[inline(always)]
fn alloc_zeroed_any(size: usize) -> *mut u8 {
    let hit = heap::metered()
        .and_then(|heap| if hardened::is_light() { checked::zeroed(heap, size) } else { profiled::hit(heap, size) });
    let fresh = hit.or_else(|| alloc_zeroed_cold(size));
    let Some(fresh) = fresh else { return out_of_memory() };
    let block: *mut u8 = fresh.at.as_ptr();
    let stale = fresh.stale(usable_size(block).unwrap_or(size));
    // SAFETY: a live block of at least so many bytes, ours alone.
    unsafe { block.write_bytes(0, stale) };
    block
}

fn alloc_zeroed_cold(size: usize) -> Option<Fresh> {
    behind_gate(size, 1, || match (strict(), ClassId::of(size)) {
        (Some(mode), _) => alloc_strict(mode, size, 1),
        // Tiny and mid blocks were somebody else's before, and to know which were not costs more than it saves: the page
        // is about to be touched anyway.
        (None, Some(class)) => alloc_fresh(class),
        (None, None) => try_large(size, 1),
    })
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
    let inside = match gate::enter() {
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
        profiled::refused();
    }
    fresh
}

/// Modes in which a slow path does more than fill a magazine.
#[derive(Clone, Copy)]
pub(super) enum Strict {
    Hardened,
    /// `HAKMEM_HARDENED=light`.
    Checked,
    /// Only some blocks: those between guard pages.
    Sampled,
}

/// The strict mode that is on, if one is.
#[inline]
pub(super) fn strict() -> Option<Strict> {
    // Asked here already: the first heap is born below, and its gates follow the mode.
    if !config::ready() {
        return None;
    }
    if hardened::is_on() {
        return Some(if hardened::is_light() { Strict::Checked } else { Strict::Hardened });
    }
    guard::is_on().then_some(Strict::Sampled)
}

/// At least `size` bytes at a multiple of `align`, by a slow path in a strict mode.
pub(super) fn alloc_strict(mode: Strict, size: usize, align: usize) -> Option<Fresh> {
    if size == 0 && align <= 16 && hardened::is_on() {
        return hardened::alloc_empty().map(|at| Fresh::new(at, true));
    }
    if let Some(at) = guard::sample(size, align) {
        return Some(Fresh::new(at, true));
    }
    match mode {
        Strict::Checked => match hardened::checked::class_for(size, align) {
            Some(class) => checked::alloc_class(class, size, align),
            None => try_large(size, align),
        },
        Strict::Hardened => match hardened::full::class_for(size, align) {
            Some(class) => {
                reclaim::before_alloc();
                alloc_hardened(class, size).or_else(|| {
                    trim::make_room();
                    alloc_hardened(class, size)
                })
            }
            None => try_large(size, align),
        },
        Strict::Sampled => match ClassId::aligned(size, align) {
            Some(class) => alloc_fresh(class),
            None => try_large(size, align),
        },
    }
}

#[inline]
fn alloc_hardened(class: ClassId, size: usize) -> Option<Fresh> {
    let (at, zero) = match thread::enter()? {
        Caller::Own(heap) => hardened::full::alloc(heap, class, size)?,
        Caller::Shared(heap) => hardened::full::alloc_shared(heap, class, size)?,
    };
    Some(Fresh::new(at, zero))
}

fn try_any_class(class: ClassId) -> Option<Fresh> {
    alloc_class_by(class, try_any)
}

/// `alloc_class`, and whether the block is known to read as zero.
fn alloc_fresh(class: ClassId) -> Option<Fresh> {
    alloc_class_by(class, if class.is_big() { try_fresh } else { try_any })
}

#[inline]
fn alloc_class_by(class: ClassId, attempt: fn(ClassId) -> Option<Fresh>) -> Option<Fresh> {
    reclaim::before_alloc();
    let block = attempt(class).or_else(|| {
        trim::make_room();
        attempt(class).or_else(|| alone(class))
    });
    // What big blocks leave idle often fits the next one: they do not pay for growth.
    if !class.is_big() {
        reclaim::after_class();
    }
    block
}

/// A block that is a run of its own: for a span of several slots there may be no room where one block of it has some.
#[cold]
#[inline(never)]
fn alone(class: ClassId) -> Option<Fresh> {
    let bytes = class.block_size();
    if bytes.div_ceil(GRANULE) < class.slots() as usize { large::alloc(bytes, 1) } else { None }
}

// Its frame is not to lie under that of a decay, which `alloc_class_by` may come upon before: a call has 1 KiB of stack.
#[inline(never)]
pub(super) fn try_class(class: ClassId) -> Option<Addr> {
    match thread::enter_light(class)? {
        Caller::Own(heap) => {
            heap.tick();
            let class = heap.earned(class);
            if is_baseline(heap, class) { baseline::alloc(heap, class) } else { heap.pop_slow(class) }
        }
        // Whole lines: blocks of several threads lie side by side there.
        Caller::Shared(heap) => heap.alloc_direct(class.in_whole_lines()),
    }
}

fn try_any(class: ClassId) -> Option<Fresh> {
    try_class(class).map(|at| Fresh::new(at, false))
}

/// `try_class` of a big class, whose pages may never have been touched.
fn try_fresh(class: ClassId) -> Option<Fresh> {
    let (at, zero) = match thread::enter()? {
        Caller::Own(heap) => {
            heap.tick();
            heap.pop_fresh(class)?
        }
        Caller::Shared(heap) => heap.alloc_fresh(class)?,
    };
    Some(Fresh::new(at, zero))
}

/// The gate of a tiny class that T-HEAP does not serve stays shut.
pub(super) fn is_baseline(heap: OwnHeap, class: ClassId) -> bool {
    class.is_tiny() && heap.bin(class).max() == 0
}

/// A large block, after giving everything idle back if that is what it takes.
pub(super) fn try_large(size: usize, align: usize) -> Option<Fresh> {
    try_large_by(size, || large::alloc(size, align))
}

/// The same, one whose end can move.
pub(super) fn try_growing(size: usize) -> Option<Fresh> {
    try_large_by(size, || large::alloc_growing(size))
}

#[inline(always)]
fn try_large_by(size: usize, attempt: impl Fn() -> Option<Fresh>) -> Option<Fresh> {
    if size > isize::MAX as usize {
        return None;
    }
    reclaim::before_alloc();
    attempt().or_else(|| {
        if !reclaim::could_serve(size) {
            return None;
        }
        trim::make_room();
        attempt()
    })
}
