//! Where a block comes from: by which mode, of which class, out of whose heap. Behind the gate, and with no lock held.
#![forbid(unsafe_code)]

use errno::{Errno, set_errno};

use super::thread::{self, Caller};
use super::trim;
use crate::base::addr::GRANULE;
use crate::base::block::Block;
use crate::base::fresh::Fresh;
use crate::baseline;
use crate::class::ClassId;
use crate::config;
use crate::guard;
use crate::hardened;
use crate::heap::{Heap, OwnHeap};
use crate::large;
use crate::reclaim;

/// Null, with ENOMEM.
#[cold]
pub(crate) fn out_of_memory() -> *mut u8 {
    set_errno(Errno(libc::ENOMEM));
    core::ptr::null_mut()
}

/// By which rules blocks are handed out. What they come to when they are freed is a `Kind`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Usual,
    /// `HAKMEM_GUARD_RATE`: some blocks lie between guard pages.
    Guarded,
    /// `HAKMEM_HARDENED=light`.
    Light,
    /// `HAKMEM_HARDENED=1`.
    Full,
}

impl Mode {
    #[inline]
    pub(super) fn now() -> Mode {
        // Asked here already: the first heap is born below, and its gates follow the mode.
        if !config::ready() {
            Mode::Usual
        } else if hardened::is_on() {
            if hardened::is_light() { Mode::Light } else { Mode::Full }
        } else if guard::is_on() {
            Mode::Guarded
        } else {
            Mode::Usual
        }
    }

    /// Whether what is behind a block's bytes may be watched.
    #[inline]
    pub(super) fn is_strict() -> bool {
        Mode::now() != Mode::Usual
    }
}

/// The class of a block for `size` bytes at a multiple of `align`, what is watched behind it included; `None`: it is a large block.
#[inline]
pub(crate) fn class_for(size: usize, align: usize) -> Option<ClassId> {
    if hardened::is_on() { hardened::class_for(size, align) } else { ClassId::aligned(size, align) }
}

/// What is wanted of a block besides its size.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// The next that there is.
    Any,
    /// One that reads as zero as far as that is known without a look.
    Zero,
}

/// At least `size` bytes at a multiple of `align`.
#[inline(always)]
pub(super) fn block(size: usize, align: usize, want: Want) -> Option<Fresh> {
    let mode = Mode::now();
    if mode != Mode::Usual {
        return strict(mode, size, align);
    }
    match if align <= 16 { ClassId::of(size) } else { ClassId::aligned(size, align) } {
        Some(class) => of_class(class, want),
        None => of_large(size, align),
    }
}

/// The same where more is done than to fill a magazine.
fn strict(mode: Mode, size: usize, align: usize) -> Option<Fresh> {
    if size == 0 && align <= 16 && mode != Mode::Guarded {
        return hardened::alloc_empty().map(|block| Fresh::new(block, true));
    }
    if let Some(at) = guard::sample(size, align) {
        return Some(Fresh::new(Block::at(at), true));
    }
    let Some(class) = class_for(size, align) else { return of_large_watched(size, align) };
    match mode {
        Mode::Usual | Mode::Guarded => of_class(class, Want::Zero),
        Mode::Light => light(class, size, align),
        Mode::Full => insist(|| full(class, size), || true),
    }
}

#[inline]
fn full(class: ClassId, size: usize) -> Option<Fresh> {
    let (block, zero) = match thread::enter()? {
        Caller::Own(heap) => hardened::full::alloc(heap, class, size)?,
        Caller::Shared(heap) => hardened::full::alloc_shared(heap, class, size)?,
    };
    Some(Fresh::new(block, zero))
}

fn light(class: ClassId, size: usize, align: usize) -> Option<Fresh> {
    let Some(block) = insist(|| next(class), || true) else { return large_block(size, align) };
    reclaim::after_class();
    hardened::checked::hand_out_any(block.addr(), size);
    // `calloc` looks at it all.
    Some(Fresh::new(block, false))
}

/// What `attempt` gives; if it gives nothing and it `may_help`, once more when everything idle was given back.
#[inline(always)]
pub(super) fn insist<T>(attempt: impl Fn() -> Option<T>, may_help: impl FnOnce() -> bool) -> Option<T> {
    reclaim::before_alloc();
    attempt().or_else(|| {
        if !may_help() {
            return None;
        }
        trim::make_room();
        attempt()
    })
}

#[inline(always)]
fn of_class(class: ClassId, want: Want) -> Option<Fresh> {
    // Tiny and mid blocks were somebody else's before, and to know which were not costs more than it saves: the page is about to be touched anyway.
    let attempt = if want == Want::Zero && class.is_big() { next_fresh } else { next_any };
    let block = insist(|| attempt(class), || true).or_else(|| alone(class));
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

/// The next block of `class` of the calling thread, however its heap serves that.
// Its frame is not to lie under that of a decay, which `insist` may come upon before: a call has 1 KiB of stack.
#[inline(never)]
fn next(class: ClassId) -> Option<Block> {
    match thread::enter_light(class)? {
        Caller::Own(heap) => {
            heap.tick();
            let class = heap.earned(class);
            if baseline::serves(heap, class) { baseline::alloc(heap, class) } else { heap.pop_slow(class) }
        }
        // Whole lines: blocks of several threads lie side by side there.
        Caller::Shared(heap) => heap.alloc_direct(class.in_whole_lines()),
    }
}

fn next_any(class: ClassId) -> Option<Fresh> {
    next(class).map(|block| Fresh::new(block, false))
}

/// The same of a big class, whose pages may never have been touched.
fn next_fresh(class: ClassId) -> Option<Fresh> {
    let (block, zero) = match thread::enter()? {
        Caller::Own(heap) => {
            heap.tick();
            heap.pop_fresh(class)?
        }
        Caller::Shared(heap) => heap.alloc_fresh(class)?,
    };
    Some(Fresh::new(block, zero))
}

/// A large block, by the mode.
#[inline]
pub(crate) fn large_block(size: usize, align: usize) -> Option<Fresh> {
    if hardened::is_on() { hardened::fenced::alloc(size, align) } else { large::alloc(size, align) }
}

/// A large block where nothing is watched.
fn of_large(size: usize, align: usize) -> Option<Fresh> {
    large_by(size, || large::alloc(size, align))
}

/// The same where blocks may be watched.
#[inline(never)] // for the stack: a frame that is gone where the block is of a class
fn of_large_watched(size: usize, align: usize) -> Option<Fresh> {
    large_by(size, || large_block(size, align))
}

/// A large block whose end can move.
pub(super) fn growing(size: usize) -> Option<Fresh> {
    large_by(size, || large::alloc_growing(size))
}

#[inline(always)]
fn large_by(size: usize, attempt: impl Fn() -> Option<Fresh>) -> Option<Fresh> {
    if size > isize::MAX as usize {
        return None;
    }
    insist(attempt, || reclaim::could_serve(size))
}

/// A block of `class` for `size` bytes from a heap that others use too, by its lock.
pub(crate) fn of_shared(heap: &Heap, class: ClassId, size: usize) -> Option<Fresh> {
    let (block, zero) =
        if hardened::is_on() { hardened::alloc_shared(heap, class, size)? } else { heap.alloc_fresh(class)? };
    Some(Fresh::new(block, zero))
}

/// The same from a heap apart that the caller has to itself.
pub(crate) fn of_apart(heap: OwnHeap, class: ClassId, size: usize) -> Option<Fresh> {
    if hardened::is_on() {
        return of_shared(&heap, class, size);
    }
    heap.pop_apart(class).map(|block| Fresh::new(block, false))
}
