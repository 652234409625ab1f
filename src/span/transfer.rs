//! A partly free span goes from one heap to another, with the blocks that are in use.
//!
//! Nobody is asked who holds one of those: a free that still goes to the old owner finds there that the span is another's, and is passed on
//! (`flush::Stop::Astray`). What must not be is a thread that has the old owner as its own heap: it would take the blocks for its own.

use super::dirty::Dirty;
use super::lists::Spans;
use crate::base::addr::Addr;
use crate::base::sync::Ordering;
use crate::class::ClassId;
use crate::page_map::{self, Tag};

/// Moves one span of `class` with free blocks, the emptiest there is, to the heap at `owner`. Says whether there was one. Under the locks of both
/// heaps; the heap that gives has no thread, and gets none before who gets it sees all this.
pub(crate) fn transfer(
    class: ClassId,
    (from, from_dirty): (&mut Spans, &mut Dirty),
    (to, to_dirty): (&mut Spans, &mut Dirty),
    owner: Addr,
) -> bool {
    let Some(mut span) = from.take_partly_free(from_dirty) else { return false };
    // SAFETY: a live record, on no list, under its owner's lock.
    let record = unsafe { span.as_mut() };
    let freed = record.freed;
    record.note_leaving(from_dirty);
    // Relaxed: who reads it under the old owner's or the new one's lock sees it; anybody else compares it with neither.
    record.owner.store(owner.0, Ordering::Relaxed);
    page_map::retag(record.base(), record.slab.granules(), Tag::of_span(owner, class.index()));
    record.freed = freed;
    record.taken_in = to_dirty.generation;
    record.freed_in = to_dirty.generation;
    to_dirty.bytes += freed as usize * record.block_size as usize;
    record.note_coming(to_dirty);
    to.add(span);
    true
}
