//! `Arena`: one arena's record, and the word that the program knows it by.

use core::cell::Cell;

use crate::base::addr::Addr;
use crate::heap::{self, Heap, OwnHeap};
use crate::large::Held;
use crate::os::{Defect, die};
use crate::region::Region;
use crate::stats::allowance::Allowance;
use crate::stats::counter::Counter;

/// Bytes of a name, its final null included.
pub(crate) const NAME: usize = 32;

/// What the program wants.
pub(crate) struct Options {
    /// Ends at the first null.
    pub(crate) name: [u8; NAME],
    /// Bytes of all blocks; `usize::MAX`: no limit.
    pub(crate) limit: usize,
    /// Whether every block is to be zero.
    pub(crate) zeroed: bool,
    /// Whether threads may use it at the same time.
    pub(crate) shared: bool,
    /// Memory of the program's own to keep to.
    pub(crate) memory: Option<Memory>,
}

/// Memory that the program gives to an arena, until that is destroyed.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) base: Addr,
    pub(crate) bytes: usize,
    /// Whether huge pages are to be asked for there, or that there be none.
    pub(crate) huge: Option<bool>,
}

/// One arena: a record of meta.
pub(super) struct Arena {
    /// Its own heap, whose word is its handle.
    pub(super) heap: &'static Heap,
    pub(super) options: Options,
    pub(super) allowance: Allowance,
    pub(super) region: Option<Region>,
    pub(super) large: Held,
    pub(super) resets: Counter,
    pub(super) refused: Counter,
    pub(super) links: Links,
}

/// An arena's place on the list. Written under `ARENAS`.
#[derive(Default)]
pub(super) struct Links {
    pub(super) next: Cell<Option<&'static Arena>>,
    pub(super) prev: Cell<Option<&'static Arena>>,
}

/// The arena that `word` is the handle of; ends the process where it is none: null, or the handle of one that was destroyed, as long as its heap
/// belongs to nobody, or to an arena with another word.
pub(super) fn at(word: *mut u8) -> &'static Arena {
    if word.is_null() {
        gone(word);
    }
    // SAFETY: a handle is a heap's word (caller), and heaps are never freed.
    let heap = unsafe { heap::at(Addr::of(heap::plain(word))) };
    match named_by(heap.apart_owner()) {
        Some(arena) if arena.word() == word => arena,
        _ => gone(word),
    }
}

#[cold]
pub(super) fn gone(word: *mut u8) -> ! {
    die(Defect::ARENA_GONE, Addr::of(word))
}

pub(super) fn named_by(record: Addr) -> Option<&'static Arena> {
    // SAFETY: null, or the record of an arena that the caller may use, which is there until it is destroyed.
    unsafe { record.as_ptr::<Arena>().as_ref() }
}

impl Arena {
    /// Its heap, in the hands of its user: who calls a function that leads here may use the arena, which is one thread's at a time, or has it to
    /// himself.
    pub(super) fn own(&self) -> OwnHeap {
        // SAFETY: as said; the functions of the box's door are `unsafe` for it.
        unsafe { OwnHeap::of(self.heap) }
    }

    pub(super) fn word(&self) -> *mut u8 {
        if self.options.zeroed || self.options.shared { heap::closed(self.heap) } else { self.heap.addr().as_ptr() }
    }
}
