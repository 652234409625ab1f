//! Blocks back to their spans, in batches, each one checked: every misuse that got past the hot path ends here.

use super::ahead;
use super::backend::tiny_backend_release_span;
use super::dirty::Dirty;
use super::head::SpanHead;
use super::lists::Spans;
use super::record::Span;
use crate::base::addr::Addr;
use crate::class::ClassId;
use crate::os::{Defect, Misuse};
use crate::page_map;

/// Why a flush ended before its last block.
pub(crate) enum Stop {
    Misuse(Misuse),
    /// The block behind the first `done` is not this heap's but the one's at `owner`: its span has moved, or else it is misuse.
    Astray {
        done: usize,
        owner: Addr,
    },
}

impl From<Misuse> for Stop {
    fn from(misuse: Misuse) -> Stop {
        Stop::Misuse(misuse)
    }
}

/// What `Stop::Astray` is where no span has moved.
pub(crate) fn foreign(at: Addr) -> Misuse {
    Misuse { what: Defect::FREE_ASTRAY, at }
}

/// Gives `blocks`, all of heap `owner`, back to their spans in `lists`, by class. `count` is told of each run of them:
/// class, blocks, and whether that emptied a span which was then released. `is_large`: as `ahead::pays` says.
/// Stops at the first that is no block, or free already.
pub(crate) fn flush(
    owner: Addr,
    blocks: &[Addr],
    lists: &mut [Spans],
    dirty: &mut Dirty,
    is_large: bool,
    mut count: impl FnMut(ClassId, u32, bool),
) -> Result<(), Stop> {
    let mut left = blocks;
    while let Some(&first) = left.first() {
        let Some(head) = SpanHead::of(page_map::record(first)) else {
            return Err(Misuse { what: Defect::FREE_FOREIGN, at: first }.into());
        };
        if head.owner() != owner {
            let other = page_map::tag(first).owner();
            if other.is_null() || other == owner {
                return Err(foreign(first).into());
            }
            return Err(Stop::Astray { done: blocks.len() - left.len(), owner: other });
        }
        let mut span = head.locked();
        // SAFETY: the record of a granule of this heap is a live span of it (S1), and we hold the heap's lock;
        // a granule of another kind has no span's tag, so its pointers never get into a batch, except by misuse,
        // and records are never unmapped: then the owner differs, or the index does not lead back to the block.
        let record = unsafe { span.as_mut() };
        let freed = put_back(record, left)?;
        left = left.get(freed as usize..).unwrap_or_default();
        if is_large {
            ahead::passed(blocks.len() - left.len() - freed as usize, freed, left);
        }
        record.note_freed(freed, dirty);
        let class = record.class;
        let Some(spans) = lists.get_mut(class.index()) else { continue };
        spans.free += freed as u64;
        let mut released = false;
        if record.free >= record.promote_at {
            if let Some(empty) = spans.place(span, dirty) {
                tiny_backend_release_span(empty, dirty);
                released = true;
            }
        }
        count(class, freed, released);
    }
    Ok(())
}

/// So many blocks away at most, the next one is taken to lie in the same word of the bitmap.
const NEAR: usize = 8;

/// Marks as free the leading ones of `blocks` that lie in this span: one look-up and one round of bookkeeping for them,
/// which is most of a batch when blocks are freed in an order related to that of their allocation. Says how many.
#[inline(always)]
fn put_back(record: &mut Span, blocks: &[Addr]) -> Result<u32, Misuse> {
    let (base, size, reciprocal) = (record.base(), record.block_size as usize, record.reciprocal);
    let bytes = record.capacity as usize * size;
    let mut left = blocks;
    while let Some((&at, rest)) = left.split_first() {
        let offset = at.since(base);
        if offset >= bytes {
            if left.len() == blocks.len() {
                // Behind the last block, where the slab is longer than its blocks.
                return Err(Misuse { what: Defect::FREE_INTERIOR, at });
            }
            break;
        }
        let index = index_of(offset, size, reciprocal).ok_or(Misuse { what: Defect::FREE_INTERIOR, at })?;
        // The last one's next is too far away.
        let step = rest.first().map_or(usize::MAX / 2, |next| next.since(at));
        if (step as isize).unsigned_abs() / NEAR <= size {
            left = put_back_near(record, index, step, left)?;
            continue;
        }
        if !record.bitmap().set(index) {
            return Err(Misuse { what: Defect::FREE_TWICE, at });
        }
        record.hint = record.hint.min(index / 64);
        left = rest;
    }
    let freed = (blocks.len() - left.len()) as u32;
    record.free += freed;
    Ok(freed)
}

/// Which block of `size` bytes starts `offset` bytes behind the first; `None`: none does.
#[inline(always)]
fn index_of(offset: usize, size: usize, reciprocal: u64) -> Option<u32> {
    let index = ((offset as u64).wrapping_mul(reciprocal) >> 42) as u32;
    (index as usize * size == offset).then_some(index)
}

/// Marks as free those at the start of `blocks`, the first of which is the span's `index`th and the next one `step` bytes behind it, that lie side by side,
/// or else those whose bits are in the same word. Says what is left.
#[inline(never)] // its frame is not to lie below that of a release
fn put_back_near<'a>(record: &mut Span, index: u32, step: usize, blocks: &'a [Addr]) -> Result<&'a [Addr], Misuse> {
    let size = record.block_size as usize;
    let goes_on = matches!(blocks, [_, second, third, ..] if third.since(*second) == step);
    if goes_on && (step == size || step == size.wrapping_neg()) {
        put_back_run(record, index, step, blocks)
    } else {
        put_back_word(record, index / 64, blocks)
    }
}

/// Marks as free those at the start of `blocks` whose bits are in word `at`: set in a register, for in memory each would wait for the one before.
fn put_back_word<'a>(record: &mut Span, at: u32, blocks: &'a [Addr]) -> Result<&'a [Addr], Misuse> {
    let (size, reciprocal) = (record.block_size as usize, record.reciprocal);
    let start = record.base().offset(at as usize * 64 * size);
    let bytes = (record.capacity - at * 64).min(64) as usize * size;
    record.hint = record.hint.min(at);
    let mut map = record.bitmap();
    let mut free = map.word(at);
    let mut left = blocks;
    while let Some((&block, rest)) = left.split_first() {
        let offset = block.since(start);
        if offset >= bytes {
            break;
        }
        let index = index_of(offset, size, reciprocal).ok_or(Misuse { what: Defect::FREE_INTERIOR, at: block })?;
        if free >> index & 1 != 0 {
            return Err(Misuse { what: Defect::FREE_TWICE, at: block });
        }
        free |= 1 << index;
        left = rest;
    }
    map.set_word(at, free);
    Ok(left)
}

/// Marks as free by words of the bitmap those at the start of `blocks`, the first of which is the span's `index`th, that lie `step` bytes each
/// behind the one before, a block's size up or down: 8 instructions each instead of 31 (docs/ARCHITECTURE.md, section 3).
fn put_back_run<'a>(record: &mut Span, index: u32, step: usize, blocks: &'a [Addr]) -> Result<&'a [Addr], Misuse> {
    let size = record.block_size as usize;
    let most = if step == size { record.capacity - index } else { index + 1 };
    let mut expected = record.base().offset(index as usize * size);
    let follows = |&&at: &&Addr| {
        let fits = at == expected;
        expected = expected.offset(step);
        fits
    };
    let len = blocks.get(..most as usize).unwrap_or(blocks).iter().take_while(follows).count() as u32;
    let first = if step == size { index } else { index + 1 - len };
    if let Err(free) = record.bitmap().set_run(first, len) {
        return Err(Misuse { what: Defect::FREE_TWICE, at: record.base().offset(free as usize * size) });
    }
    record.hint = record.hint.min(first / 64);
    Ok(blocks.get(len as usize..).unwrap_or_default())
}
