//! Box `arena` (L8): heaps of the program's own, whose blocks can all be freed at once.
//! Owns: the arenas' records, and their list.   Calls: base, os, class, config, stats, meta, page_map, region, large, heap, reclaim,
//! front.
//! Called by: report, abi.   Locks: `ARENAS`, before all others; else through the boxes.
//! Threads: an owned arena's functions are one thread's at a time, as the program sees to; `of` and `figures` are any's.
//!
//! A shared one's, but for `reset`, `destroy` and `walk`, are any thread's: each has a heap of its own there (`heap/seats.rs`), and the arena's own
//! heap serves threads that have none.
//!
//! The program's handle is a word as a thread's is (`heap::bin_at`): that of the arena's heap, so a hit is malloc's. An arena of which a
//! call is more than a hit has a word whose magazines are always empty.

mod alloc;
mod ends;
mod list;
mod look;

pub(crate) use alloc::{alloc, alloc_aligned, alloc_zeroed, free, realloc};
pub(crate) use ends::{destroy, is_fit, make, reset};
pub(crate) use look::{Figures, figures, nth, of, walk};

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
struct Arena {
    /// Its own heap, whose word is its handle.
    heap: &'static Heap,
    options: Options,
    allowance: Allowance,
    region: Option<Region>,
    large: Held,
    resets: Counter,
    refused: Counter,
    links: list::Links,
}

/// The arena that `word` is the handle of; ends the process where it is none: null, or the handle of one that was destroyed, as long as its heap
/// belongs to nobody, or to an arena with another word.
fn at(word: *mut u8) -> &'static Arena {
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
fn gone(word: *mut u8) -> ! {
    die(Defect::ARENA_GONE, Addr::of(word))
}

fn named_by(record: Addr) -> Option<&'static Arena> {
    // SAFETY: null, or the record of an arena that the caller may use, which is there until it is destroyed.
    unsafe { record.as_ptr::<Arena>().as_ref() }
}

impl Arena {
    /// Its heap, in the hands of its user: who calls a function that leads here may use the arena, which is one thread's at a time, or has it to
    /// himself.
    fn own(&self) -> OwnHeap {
        // SAFETY: as said; the functions of the box's door are `unsafe` for it.
        unsafe { OwnHeap::of(self.heap) }
    }

    fn word(&self) -> *mut u8 {
        if self.options.zeroed || self.options.shared { heap::closed(self.heap) } else { self.heap.addr().as_ptr() }
    }
}
