//! An arena's birth and end, and when all of its blocks are freed at once.

use super::handle::{Arena, Links, Memory, Options, at};
use super::list;
use crate::base::addr::{Addr, GRANULE};
use crate::config;
use crate::front;
use crate::heap::{self, OwnHeap};
use crate::large::Held;
use crate::meta;
use crate::page_map::{self, Tag};
use crate::reclaim;
use crate::region::{self, Region};
use crate::stats::allowance::Allowance;
use crate::stats::counter::Counter;

/// Whether memory can be an arena's: it has a granule at least, in addresses that the page map has entries for, and none of it is ours or another
/// arena's already.
pub(crate) fn is_fit(memory: &Memory) -> bool {
    let Some((first, granules)) = region::extent(memory.base, memory.bytes) else { return false };
    page_map::can_hold(first, granules)
        && (0..granules).all(|granule| page_map::tag(first.offset(granule * GRANULE)) == Tag::NONE)
        // Unanswered, in a fork that lasts, it is taken for right.
        && !front::inside(|| list::has_any_of(first, granules)).unwrap_or(false)
}

/// A new arena's handle; null: out of memory. Its memory `is_fit`. Any thread.
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
    let Some(region) = region_of(options.memory) else {
        meta::free(record, size_of::<Arena>());
        return None;
    };
    // SAFETY: as the allowance.
    unsafe { (&raw mut (*arena).region).write(region) };
    // SAFETY: likewise.
    let region: Option<&'static Region> = unsafe { &(*arena).region }.as_ref();
    // Nobody has the magazines of a shared one's: they get no room.
    let prepare = |heap: OwnHeap| {
        if options.shared { heap.shut() } else { front::prepare(heap) }
    };
    let Some(heap) = heap::make_apart(record, allowance, region, prepare) else {
        if let Some(region) = region {
            region.end();
        }
        meta::free(record, size_of::<Arena>());
        return None;
    };
    // SAFETY: as above; the fields one by one, for the allowance is in use.
    unsafe {
        (&raw mut (*arena).heap).write(heap);
        (&raw mut (*arena).options).write(options);
        (&raw mut (*arena).large).write(Held::new(record, allowance, region));
        (&raw mut (*arena).resets).write(Counter::new());
        (&raw mut (*arena).refused).write(Counter::new());
        (&raw mut (*arena).links).write(Links::default());
    }
    // SAFETY: all of it was written.
    let arena = unsafe { &*arena };
    list::put(arena);
    Some(arena)
}

/// `None`: out of memory.
fn region_of(memory: Option<Memory>) -> Option<Option<Region>> {
    let Some(Memory { base, bytes, huge }) = memory else { return Some(None) };
    let region = Region::new(region::extent(base, bytes)?)?;
    if let Some(huge) = huge {
        region.advise_huge(huge);
    }
    Some(Some(region))
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
        arena.large.free_all(front::take_one_of_many);
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
            arena.large.free_all(front::take_one_of_many);
            while let Some(seat) = heap::end_seat(arena.heap) {
                // SAFETY: the arena is the caller's alone, and so is what nobody's seat is any more.
                unsafe { OwnHeap::of(seat) }.dissolve();
            }
            arena.own().dissolve();
        });
        if let Some(region) = &arena.region {
            region.end();
        }
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
