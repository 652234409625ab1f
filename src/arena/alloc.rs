//! Blocks out of an arena, and back.

use super::handle::{Arena, at, gone};
use super::look;
use crate::base::addr::{Addr, GRANULE};
use crate::base::fresh::Fresh;
use crate::class::{BIN_STRIDE, CLASSES, ClassId};
use crate::front::{self, Kind};
use crate::heap::{self, Heap, OwnHeap, Popped, Pushed};
use crate::os::{Defect, die};
use crate::page_map;

/// At least `size` bytes, 16-aligned; null with ENOMEM when they can't be had. HOT.
///
/// # Safety
/// `word` is an arena's, and the calling thread may use that. So for all here.
#[inline(always)]
pub(crate) unsafe fn alloc(word: *mut u8, size: usize) -> *mut u8 {
    let from = if heap::is_marked(word) {
        match heap::own_seat(word) {
            Some(seat) => seat.addr().as_ptr(),
            None => return alloc_missed(word, size),
        }
    } else if word.is_null() {
        // A Rust handle is known not to be, and pays nothing.
        return alloc_slow(word, size, 1);
    } else {
        word
    };
    match front::hit(|| from, size) {
        Some(block) => block.into_raw(),
        None => alloc_missed(word, size),
    }
}

/// What is no hit, and one of a shared arena by a thread whose calls are counted.
#[inline(never)]
fn alloc_missed(word: *mut u8, size: usize) -> *mut u8 {
    if heap::is_marked(word) {
        if let Some(seat) = heap::seat_at_hand(word.addr()) {
            if let Some(block) = front::hit(|| seat.addr().as_ptr(), size) {
                return block.into_raw();
            }
        }
    }
    alloc_slow(word, size, 1)
}

/// `alloc`, all zero up to its usable size.
///
/// # Safety
/// See `alloc`.
#[inline]
pub(crate) unsafe fn alloc_zeroed(word: *mut u8, size: usize) -> *mut u8 {
    // SAFETY: the caller's.
    let block = unsafe { alloc(word, size) };
    if !at(word).options.zeroed {
        clear(block);
    }
    block
}

fn clear(block: *mut u8) {
    if let Some(bytes) = front::usable_size(block) {
        // SAFETY: a live block of so many bytes, ours alone.
        unsafe { block.write_bytes(0, bytes) };
    }
}

/// At least `size` bytes at a multiple of `align`, a power of two.
///
/// # Safety
/// See `alloc`.
pub(crate) unsafe fn alloc_aligned(word: *mut u8, size: usize, align: usize) -> *mut u8 {
    alloc_slow(word, size, align)
}

#[cold]
#[inline(never)]
fn alloc_slow(word: *mut u8, size: usize, align: usize) -> *mut u8 {
    let arena = at(word);
    let block = arena.serve(size, align);
    if block.is_null() {
        arena.refused.add(1);
    } else if arena.options.zeroed {
        clear(block);
    }
    block
}

/// Where a thread's blocks come from.
#[derive(Clone, Copy)]
enum From {
    /// A heap that it has to itself.
    Own(OwnHeap),
    /// One that all may use who have none, by its lock.
    Common(&'static Heap),
}

impl Arena {
    fn serve(&'static self, size: usize, align: usize) -> *mut u8 {
        if size > isize::MAX as usize {
            return front::out_of_memory();
        }
        let class = front::class_for(size, align);
        // Of one whose handle has no magazines, a hit all the same.
        let at_hand = if self.options.shared { heap::seat_at_hand(self.seat_word()) } else { Some(self.own()) };
        if let (Some(heap), Some(class)) = (at_hand, class) {
            if let Popped::Block(block) = heap.bin(class).pop() {
                return block.into_raw();
            }
        }
        let bytes = class.map_or(size, ClassId::block_size);
        let attempt = || match class {
            Some(class) => self.class_block(class, size),
            None => self.large.alloc(size, align, front::large_block),
        };
        if self.region.is_none() {
            return front::serve((size, align), attempt, || self.allowance.has_room(bytes));
        }
        // Nobody else has anything that would help, and no block of the reserve would do.
        let within = || {
            attempt().or_else(|| {
                self.gather_idle();
                attempt().or_else(|| self.alone(class?, size, align))
            })
        };
        front::inside(within).flatten().map_or_else(front::out_of_memory, Fresh::into_raw)
    }

    /// Has its region show what is free in it.
    #[cold]
    fn gather_idle(&'static self) {
        if let Some(From::Own(heap)) = self.from() {
            heap.flush_apart();
        }
        self.heap.give_idle();
        heap::each_seat(self.heap, |seat| seat.give_idle());
    }

    /// A block by itself, where a span of several granules has no room and one block of it may.
    #[cold]
    fn alone(&'static self, class: ClassId, size: usize, align: usize) -> Option<Fresh> {
        let fewer = class.block_size().div_ceil(GRANULE) < class.slots() as usize;
        if fewer && self.allowance.has_room(class.block_size()) {
            self.large.alloc(size, align, front::large_block)
        } else {
            None
        }
    }

    /// By what a thread finds its seat: a zeroed one's is not found by its handle alone.
    fn seat_word(&self) -> usize {
        self.word().addr() | if self.options.zeroed { heap::SPECIAL } else { 0 }
    }

    fn from(&'static self) -> Option<From> {
        if !self.options.shared {
            return Some(From::Own(self.own()));
        }
        let Some(own) = front::own_heap() else { return Some(From::Common(self.heap)) };
        let make = || heap::make_apart(Addr::of(self), &self.allowance, self.region.as_ref(), front::prepare);
        heap::take_seat(self.heap, self.seat_word(), own, make).map(From::Own)
    }

    fn class_block(&'static self, class: ClassId, size: usize) -> Option<Fresh> {
        let from = self.from()?;
        let take = || match from {
            From::Own(heap) => front::of_apart(heap, class, size),
            From::Common(heap) => front::of_shared(heap, class, size),
        };
        take().or_else(|| match from {
            // What lies in magazines counts as had.
            From::Own(heap) if !self.allowance.has_room(class.block_size()) => {
                heap.flush_apart();
                take()
            }
            _ => None,
        })
    }
}

/// Gives back a block that may be any, if it is one of this arena's to be had again at once.
///
/// # Safety
/// See `alloc`.
#[inline(always)]
pub(crate) unsafe fn free(word: *mut u8, block: *mut u8) {
    let at = Addr::of(block);
    let home = if heap::is_marked(word) {
        if heap::own_seat(word).is_some_and(|seat| push(seat, at)) {
            return;
        }
        heap::plain(word)
    } else if word.is_null() {
        gone(word);
    } else {
        word
    };
    // SAFETY: a handle is a heap's word (caller).
    let heap = unsafe { heap::at(Addr::of(home)) };
    // SAFETY: an arena's that the calling thread may use; a shared one's magazines have no room, and nobody writes them.
    let heap = unsafe { OwnHeap::of(heap) };
    if !push(heap, at) {
        free_missed(word, heap, block);
    }
}

/// Whether a block went into a magazine of `heap`: it is that heap's.
#[inline(always)]
fn push(heap: OwnHeap, at: Addr) -> bool {
    let offset = page_map::bin_of(at.granule(), heap.addr().0);
    offset < CLASSES * BIN_STRIDE
        && matches!(heap.push_apart(ClassId::from_index(offset / BIN_STRIDE), at), Pushed::Kept)
}

/// What is no hit, and one of a shared arena by a thread whose calls are counted.
#[inline(never)]
fn free_missed(word: *mut u8, heap: OwnHeap, block: *mut u8) {
    if heap::is_marked(word) && heap::seat_at_hand(word.addr()).is_some_and(|seat| push(seat, Addr::of(block))) {
        return;
    }
    at(word);
    if heap::is_marked(word) {
        return front::free(block);
    }
    free_slow(heap, block);
}

#[cold]
#[inline(never)]
fn free_slow(heap: OwnHeap, block: *mut u8) {
    let at = Addr::of(block);
    let class = match Kind::at(at) {
        Kind::Usual(span) if span.heap().addr() == heap.addr() => span.class(),
        // Not its own, or to be checked first.
        _ => return front::free(block),
    };
    match front::inside(|| heap.push_apart_slow(class, at)) {
        Some(Pushed::Twice) => die(Defect::ARENA_FREE_TWICE, at),
        Some(_) => {}
        None => front::free(block),
    }
}

/// Makes `block`, which may be any or null, one of the arena that holds `size` bytes. 0 frees it.
///
/// # Safety
/// See `alloc`.
pub(crate) unsafe fn realloc(word: *mut u8, block: *mut u8, size: usize) -> *mut u8 {
    at(word);
    if block.is_null() {
        // SAFETY: the caller's.
        return unsafe { alloc(word, size) };
    }
    if size == 0 {
        // SAFETY: the caller's.
        unsafe { free(word, block) };
        return core::ptr::null_mut();
    }
    let own = look::of(block) == word;
    let resized = if own { front::resize(block, size) } else { Err(front::usable_size(block).unwrap_or(0)) };
    let old = match resized {
        Ok(resized) => return resized,
        // No block: it says so.
        Err(0) => return front::realloc(block, size),
        Err(old) => old,
    };
    // SAFETY: the caller's.
    let fresh = unsafe { alloc(word, size) };
    if fresh.is_null() {
        if !own || size > old {
            return fresh;
        }
        front::cut(Addr::of(block), size);
        return block;
    }
    // SAFETY: both blocks are the caller's and hold at least this many bytes; a fresh block overlaps none in use.
    unsafe { fresh.copy_from_nonoverlapping(block, old.min(size)) };
    // SAFETY: the caller's.
    unsafe { free(word, block) };
    fresh
}
