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

/// Marks as free the leading ones of `blocks` that lie in this span, one at least: one look-up and one round of bookkeeping for them,
/// which is most of a batch when blocks are freed in an order related to that of their allocation. Says what is left.
#[inline(always)]
fn put_back<'a>(record: &mut Span, blocks: &'a [Addr]) -> Result<&'a [Addr], Misuse> {
    let Some((&at, rest)) = blocks.split_first() else { return Ok(blocks) };
    let Some(index) = record.starting_at(at) else { return Err(Misuse { what: Defect::FREE_INTERIOR, at }) };
    if rest.first().is_some_and(|next| next.since(record.base()) < bytes(record)) {
        return put_back_many(record, index, blocks);
    }
    // SAFETY: of a block of this span.
    let word = unsafe { record.word(index / 64) };
    if *word >> (index % 64) & 1 != 0 {
        return Err(Misuse { what: Defect::FREE_TWICE, at });
    }
    *word |= 1 << (index % 64);
    record.hint = record.hint.min(index / 64);
    Ok(rest)
}

/// Of all blocks of a span.
#[inline(always)]
fn bytes(record: &Span) -> usize {
    record.capacity as usize * record.block_size as usize
}

/// `put_back` of more than one, the first of which is block `index`. The bitmap's word at hand lies in a register: in memory each block's bit would wait
/// for the store of the one before. Ends where a run begins.
#[inline(never)] // its frame is not to lie below that of a release
fn put_back_many<'a>(record: &mut Span, mut index: u32, blocks: &'a [Addr]) -> Result<&'a [Addr], Misuse> {
    let (base, size, reciprocal, bytes) = (record.base(), record.block_size as usize, record.reciprocal, bytes(record));
    if let Some(step) = step_of(blocks, size) {
        return put_back_run(record, index, step, blocks);
    }
    let mut at = index / 64;
    record.hint = record.hint.min(at);
    // SAFETY: of a block of this span (caller).
    let mut free = unsafe { *record.word(at) };
    let mut left = blocks;
    while let Some((&block, rest)) = left.split_first() {
        if free >> (index % 64) & 1 != 0 {
            return Err(Misuse { what: Defect::FREE_TWICE, at: block });
        }
        free |= 1 << (index % 64);
        left = rest;
        let Some(&next) = left.first() else { break };
        let offset = next.since(base);
        if offset >= bytes {
            break;
        }
        index = index_of(offset, size, reciprocal).ok_or(Misuse { what: Defect::FREE_INTERIOR, at: next })?;
        if index / 64 != at {
            if step_of(left, size).is_some() {
                break;
            }
            // SAFETY: as above, or below.
            unsafe { *record.word(at) = free };
            at = index / 64;
            record.hint = record.hint.min(at);
            // SAFETY: of a block that lies `offset` bytes into the span, less than its blocks have.
            free = unsafe { *record.word(at) };
        }
    }
    // SAFETY: as above.
    unsafe { *record.word(at) = free };
    Ok(left)
}

/// Which block of `size` bytes starts `offset` bytes behind the first; `None`: none does.
#[inline(always)]
fn index_of(offset: usize, size: usize, reciprocal: u64) -> Option<u32> {
    let index = ((offset as u64).wrapping_mul(reciprocal) >> 42) as u32;
    (index as usize * size == offset).then_some(index)
}

/// By how much each of three blocks lies behind the one before, where that is a block's size, up or down: a run begins here.
#[inline(always)]
fn step_of(blocks: &[Addr], size: usize) -> Option<usize> {
    let [first, second, third, ..] = blocks else { return None };
    let step = second.since(*first);
    ((step == size || step == size.wrapping_neg()) && third.since(*second) == step).then_some(step)
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
        record.hint = super::super::bitmap::words(all) as u32;
        let blocks: std::vec::Vec<_> = offsets.iter().map(|&offset| record.base().offset(offset)).collect();
        let mut left = Ok(&blocks[..]);
        while let Ok(&[_, ..]) = left {
            left = left.and_then(|left| put_back(record, left).map_err(|misuse| misuse.what));
        }
        let left = left.map(<[_]>::len);
        // SAFETY: words of its blocks. (S4.)
        assert!((0..record.hint).all(|at| *unsafe { record.word(at) } == 0));
        record.bitmap().fill(0, all, true);
        record.hint = 0;
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
