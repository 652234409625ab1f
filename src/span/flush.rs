//! Blocks back to their spans, in batches, each one checked: every misuse that got past the hot path ends here.

use super::ahead::Ahead;
use super::backend::tiny_backend_release_span;
use super::dirty::Dirty;
use super::head::SpanHead;
use super::lists::Spans;
use super::record::Span;
use crate::base::addr::Addr;
use crate::os::{Defect, Misuse};
use crate::page_map;
use crate::stats::event::{Event, Events};

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

/// Gives `blocks`, all of heap `owner`, back to their spans in `lists`, by class, each run of them counted in `events`. `is_large`: as `ahead::pays` says.
/// Stops at the first that is no block, or free already. Says also how many bytes came back.
pub(crate) fn flush(
    owner: Addr,
    blocks: &[Addr],
    lists: &mut [Spans],
    dirty: &mut Dirty,
    is_large: bool,
    events: &Events,
) -> (usize, Result<(), Stop>) {
    let mut bytes = Bytes::default();
    let done = flush_each(owner, blocks, lists, dirty, is_large, events, &mut bytes);
    bytes.settle(dirty);
    (bytes.freed, done)
}

/// Bytes that came back, added up here: in `Dirty` each block would wait for the one before.
#[derive(Default)]
struct Bytes {
    freed: usize,
    /// How many of them `Dirty` knows.
    told: usize,
}

impl Bytes {
    fn settle(&mut self, dirty: &mut Dirty) {
        dirty.note_freed(self.freed - self.told);
        self.told = self.freed;
    }
}

#[inline(always)]
fn flush_each(
    owner: Addr,
    blocks: &[Addr],
    lists: &mut [Spans],
    dirty: &mut Dirty,
    is_large: bool,
    events: &Events,
    bytes: &mut Bytes,
) -> Result<(), Stop> {
    let mut ahead = Ahead::of(blocks, is_large);
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
        let rest = put_back(record, left)?;
        let freed = (left.len() - rest.len()) as u32;
        left = rest;
        record.free += freed;
        ahead.passed(freed, left);
        record.note_freed(freed, dirty);
        bytes.freed += freed as usize * record.block_size as usize;
        let class = record.class;
        let Some(spans) = lists.get_mut(class.index()) else { continue };
        spans.free += freed as u64;
        events.count(class.index(), Event::Flushed, freed as u64);
        if record.free >= record.promote_at {
            bytes.settle(dirty);
            if let Some(empty) = spans.place(span, dirty) {
                tiny_backend_release_span(empty, dirty);
                events.count(class.index(), Event::SpanRelease, 1);
            }
        }
    }
    Ok(())
}

/// So many blocks away at most, the next one is taken to lie in the same word of the bitmap.
const NEAR: usize = 8;

/// Marks as free the leading ones of `blocks` that lie in this span: one look-up and one round of bookkeeping for them,
/// which is most of a batch when blocks are freed in an order related to that of their allocation. Says what is left.
#[inline(always)]
fn put_back<'a>(record: &mut Span, blocks: &'a [Addr]) -> Result<&'a [Addr], Misuse> {
    let (base, size, reciprocal) = (record.base(), record.block_size as usize, record.reciprocal);
    let bytes = record.capacity as usize * size;
    let offset_of = |blocks: &[Addr]| blocks.first().map_or(usize::MAX, |at| at.since(base));
    let mut left = blocks;
    let mut offset = offset_of(left);
    while let Some((&at, rest)) = left.split_first() {
        if offset >= bytes {
            if left.len() == blocks.len() {
                // Behind the last block, where the slab is longer than its blocks.
                return Err(Misuse { what: Defect::FREE_INTERIOR, at });
            }
            break;
        }
        let index = index_of(offset, size, reciprocal).ok_or(Misuse { what: Defect::FREE_INTERIOR, at })?;
        let next = offset_of(rest);
        let step = next.wrapping_sub(offset);
        if next < bytes && (step as isize).unsigned_abs() / NEAR <= size {
            left = put_back_near(record, index, step, left)?;
            offset = offset_of(left);
            continue;
        }
        // SAFETY: block `index` lies `offset` bytes into the span, less than its `capacity` blocks have.
        if !unsafe { record.set_free(index) } {
            return Err(Misuse { what: Defect::FREE_TWICE, at });
        }
        if index / 64 < record.hint {
            record.hint = index / 64;
        }
        (left, offset) = (rest, next);
    }
    Ok(left)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::ClassId;
    use crate::span::tiny_backend_acquire_span;

    /// What becomes of a flush of blocks of 48 bytes, all in use, said by how many bytes from the span's first one they lie.
    fn flushed(offsets: &[usize]) -> Result<usize, Defect> {
        let (class, owner) = (ClassId::from_index(2), Addr(1 << 40));
        let mut dirty = Dirty::default();
        let Some(mut span) = tiny_backend_acquire_span(class, owner, &mut dirty) else { panic!("no memory") };
        // SAFETY: just made, and nobody else has it.
        let record = unsafe { span.as_mut() };
        assert_eq!(record.block_size, 48);
        let all = record.capacity;
        record.bitmap().fill(0, all, false);
        let blocks: std::vec::Vec<_> = offsets.iter().map(|&offset| record.base().offset(offset)).collect();
        let left = put_back(record, &blocks).map(|left| left.len()).map_err(|misuse| misuse.what);
        record.bitmap().fill(0, all, true);
        tiny_backend_release_span(span, &mut dirty);
        left
    }

    #[test]
    fn a_pointer_into_a_block_is_refused_near_another_in_its_span_as_well_as_alone() {
        for good in [&[0, 96, 48][..], &[0, 48, 96], &[96, 48, 0], &[0, 48 * 500], &[48 * 500, 0]] {
            assert!(flushed(good) == Ok(0), "{good:?}");
            for place in 0..good.len() {
                for into in [1, 8, 16, 32, 47] {
                    let mut blocks = good.to_vec();
                    blocks[place] += into;
                    assert!(flushed(&blocks) == Err(Defect::FREE_INTERIOR), "{blocks:?}");
                }
                let mut blocks = good.to_vec();
                blocks.insert(place, good[place]);
                assert!(flushed(&blocks) == Err(Defect::FREE_TWICE), "{blocks:?}");
            }
        }
    }
}
