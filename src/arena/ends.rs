//! An arena's birth and end, and when all of its blocks are freed at once.

use super::{Arena, Options, at, list};
use crate::base::addr::Addr;
use crate::config;
use crate::front;
use crate::heap::{self, OwnHeap};
use crate::large::Held;
use crate::meta;
use crate::reclaim;
use crate::stats::allowance::Allowance;
use crate::stats::counter::Counter;

/// A new arena's handle; null: out of memory. Any thread.
pub(crate) fn make(options: Options) -> *mut u8 {
    // Its magazines follow the modes.
    config::ready();
    front::inside(|| make_inside(options)).flatten().map_or(core::ptr::null_mut(), Arena::word)
}

fn make_inside(options: Options) -> Option<&'static Arena> {
    let record = meta::alloc(size_of::<Arena>())?;
    let arena = record.as_ptr::<Arena>();
    // SAFETY: a record of this size, ours alone.
    unsafe { (&raw mut (*arena).allowance).write(Allowance::new(options.limit)) };
    // SAFETY: just written, and it stays until the arena is destroyed.
    let allowance: &'static Allowance = unsafe { &(*arena).allowance };
    // Nobody has the magazines of a shared one's: they get no room.
    let prepare = |heap: OwnHeap| {
        if options.shared { heap.shut() } else { front::prepare(heap) }
    };
    let Some(heap) = heap::make_apart(record, allowance, prepare) else {
        meta::free(record, size_of::<Arena>());
        return None;
    };
    // SAFETY: as above; the fields one by one, for the allowance is in use.
    unsafe {
        (&raw mut (*arena).heap).write(heap);
        (&raw mut (*arena).options).write(options);
        (&raw mut (*arena).large).write(Held::new(record, allowance));
        (&raw mut (*arena).resets).write(Counter::new());
        (&raw mut (*arena).refused).write(Counter::new());
        (&raw mut (*arena).links).write(list::Links::default());
    }
    // SAFETY: all of it was written.
    let arena = unsafe { &*arena };
    list::put(arena);
    Some(arena)
}

/// Frees all blocks of an arena at once.
///
/// # Safety
/// `word` is an arena's, and the calling thread has it to itself.
#[inline]
pub(crate) unsafe fn reset(word: *mut u8) {
    let arena = at(word);
    arena.resets.add_owned(1);
    let mut done = arena.large.is_empty();
    arena.each_heap(|heap| done &= heap.rewind());
    if !done {
        reset_slow(arena);
    }
}

#[cold]
#[inline(never)]
fn reset_slow(arena: &'static Arena) {
    // Not done, in a fork that lasts: what was not freed now is the next time.
    let _ = front::inside(|| {
        arena.large.free_all();
        arena.each_heap(|heap| {
            if !heap.rewind() {
                heap.start_over();
            }
        });
    });
}

/// Frees all blocks of an arena, and ends it.
///
/// # Safety
/// As for `reset`; nobody uses the handle any more.
pub(crate) unsafe fn destroy(word: *mut u8) {
    let arena = at(word);
    // Not done, in a fork that lasts: it stays as it is, and its memory with it.
    let _ = front::inside(|| {
        list::take(arena);
        reclaim::at_leisure(|| {
            arena.large.free_all();
            while let Some(seat) = heap::end_seat(arena.heap) {
                // SAFETY: the arena is the caller's alone, and so is what nobody's seat is any more.
                unsafe { OwnHeap::of(seat) }.dissolve();
            }
            arena.own().dissolve();
        });
        meta::free(Addr::of(arena), size_of::<Arena>());
    });
}

impl Arena {
    /// Calls `look` with its own heap and with each seat. The calling thread has the arena to itself.
    #[inline]
    pub(super) fn each_heap(&self, mut look: impl FnMut(OwnHeap)) {
        let mut at = Some(self.heap);
        while let Some(heap) = at {
            // SAFETY: as said.
            look(unsafe { OwnHeap::of(heap) });
            at = heap::next_seat(heap);
        }
    }
}
