//! Box `reserve` (L3): blocks for threads that may enter nothing else, because another one forks just now.
//! Owns: chunks of one granule each, cut into blocks of a power of two; mappings of their own for what is larger than half of that.
//! Calls: base, os, stats, page_map.   Called by: reclaim, front, report.   Locks: none: each change of a chunk, a block or a mapping is one atomic
//! operation, so a child of fork finds them before it or after it.   Threads: any.   Never: checks a free, but for where it points.
//!
//! All that is known of a chunk is one word, the page map's record of its granule:
//!
//! | bits   | meaning                                                              |
//! |--------|----------------------------------------------------------------------|
//! | 48..   | the size of its blocks, as a shift                                   |
//! | 32..48 | blocks handed out since none was in use                              |
//! | 31     | whether it is the chunk that blocks of its size come from            |
//! | 0..31  | blocks in use                                                        |
//!
//! With neither it goes back. No other record looks like this, so whoever remembers a chunk that has gone since finds out
//! by the word.
#![forbid(unsafe_code)]

use crate::base::addr::{Addr, GRANULE, GRANULE_SHIFT};
use crate::base::bits::round_up;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::os;
use crate::os::names::{self, Name};
use crate::page_map::{self, Tag};
use crate::stats::counter::Counter;

const MIN_SHIFT: u32 = 4;
const MAX_SHIFT: u32 = GRANULE_SHIFT - 1;
const SHIFTS: usize = (MAX_SHIFT - MIN_SHIFT + 1) as usize;

const TAKEN: usize = 1 << 32;
const CURRENT: usize = 1 << 31;
const USES: usize = CURRENT - 1;
const SHAPE_SHIFT: u32 = 48;

/// The chunk that blocks of a size come from; 0: none yet.
static CHUNKS: [AtomicUsize; SHIFTS] = [const { AtomicUsize::new(0) }; SHIFTS];
static MAPPED_BYTES: Counter = Counter::new();
static LIVE_BYTES: Counter = Counter::new();
static LIVE_BLOCKS: Counter = Counter::new();

/// At least `size` bytes at a multiple of `align`, a power of two. `None`: out of memory.
pub(crate) fn alloc(size: usize, align: usize) -> Option<Addr> {
    if size > isize::MAX as usize || align > isize::MAX as usize {
        return None;
    }
    let shift = size.max(align).max(1 << MIN_SHIFT).next_power_of_two().trailing_zeros();
    let (at, bytes) = if shift <= MAX_SHIFT {
        (alloc_small(shift)?, 1 << shift)
    } else {
        let bytes = round_up(size.max(1), GRANULE)?;
        (map(bytes, align.max(GRANULE), Tag::RESERVE_LARGE, bytes)?, bytes)
    };
    LIVE_BYTES.add(bytes as u64);
    LIVE_BLOCKS.add(1);
    Some(at)
}

fn map(bytes: usize, align: usize, tag: Tag, record: usize) -> Option<Addr> {
    let at = os::map_aligned(Addr::NULL, bytes, align)?;
    names::give(at, bytes, Name::Blocks);
    if !page_map::enter(at, 1, tag, Addr(record)) {
        os::unmap(at, bytes);
        return None;
    }
    MAPPED_BYTES.add(bytes as u64);
    Some(at)
}

/// Once nobody else can find it.
fn unmap(at: Addr, bytes: usize) {
    page_map::strike(at, 1);
    MAPPED_BYTES.sub(bytes as u64);
    os::unmap(at, bytes);
}

fn alloc_small(shift: u32) -> Option<Addr> {
    let current = CHUNKS.get((shift - MIN_SHIFT) as usize)?;
    loop {
        // Acquire pairs with the Release below: the chunk's word is there.
        let chunk = Addr(current.load(Ordering::Acquire));
        if let Some(block) = take(chunk, shift) {
            return Some(block);
        }
        let fresh = map(GRANULE, GRANULE, Tag::reserve(shift), shape(shift) | CURRENT | TAKEN | 1)?;
        // Release pairs with the Acquire above. Relaxed on failure: the other's chunk is looked up again.
        if current.compare_exchange(chunk.0, fresh.0, Ordering::Release, Ordering::Relaxed).is_ok() {
            end(chunk, shift, CURRENT);
            return Some(fresh);
        }
        unmap(fresh, GRANULE);
    }
}

/// A block of a chunk, if blocks of that size come from it and it has one left.
fn take(chunk: Addr, shift: u32) -> Option<Addr> {
    let next = |word: usize| {
        let serves = word >> SHAPE_SHIFT == shift as usize && word & CURRENT != 0 && taken(word) < GRANULE >> shift;
        serves.then(|| word + TAKEN + 1)
    };
    // Acquire pairs with the Release in `end`: what the block's last holder wrote comes before. Relaxed on failure: only looked at.
    let old = page_map::word(chunk)?.fetch_update(Ordering::Acquire, Ordering::Relaxed, next).ok()?;
    Some(chunk.offset(taken(old) << shift))
}

fn shape(shift: u32) -> usize {
    (shift as usize) << SHAPE_SHIFT
}

fn taken(word: usize) -> usize {
    word >> 32 & 0xFFFF
}

/// Ends one use of a chunk: a block's (1), or that of being current. `false`: there is none.
fn end(chunk: Addr, shift: u32, what: usize) -> bool {
    let Some(word) = page_map::word(chunk) else { return false };
    let next = |word: usize| {
        let is_used = word >> SHAPE_SHIFT == shift as usize && word & if what == CURRENT { CURRENT } else { USES } != 0;
        let left = word.wrapping_sub(what);
        // Without a block in use it begins anew.
        is_used.then(|| if left & USES == 0 { shape(shift) | left & CURRENT } else { left })
    };
    // Release pairs with the Acquire in `take`; Acquire with the Release here: who unmaps comes after all who were in it.
    let Ok(old) = word.fetch_update(Ordering::AcqRel, Ordering::Relaxed, next) else { return false };
    if old.wrapping_sub(what) & (CURRENT | USES) == 0 {
        unmap(chunk, GRANULE);
    }
    true
}

/// Frees the block at `at`, whose granule has the tag `tag`. `false`: there is none.
pub(crate) fn free(at: Addr, tag: Tag) -> bool {
    let Some(bytes) = usable(at, tag) else { return false };
    let done = if tag == Tag::RESERVE_LARGE {
        // Relaxed: of two frees at once one leaves; the bytes are nobody's.
        let left = page_map::word(at)
            .is_some_and(|word| word.compare_exchange(bytes, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok());
        if left {
            unmap(at, bytes);
        }
        left
    } else {
        end(Addr(at.0 & !(GRANULE - 1)), bytes.trailing_zeros(), 1)
    };
    if done {
        LIVE_BYTES.sub(bytes as u64);
        LIVE_BLOCKS.sub(1);
    }
    done
}

/// Bytes of the block at `at`, whose granule has the tag `tag`; `None`: none starts there.
pub(crate) fn usable(at: Addr, tag: Tag) -> Option<usize> {
    match tag.reserve_shift() {
        Some(shift) => at.is_aligned(1 << shift).then_some(1 << shift),
        None => Some(page_map::record(at).0).filter(|&bytes| at.is_aligned(GRANULE) && bytes > 0),
    }
}

/// Gives up the chunks that blocks come from: those without a block go back. Returns their bytes.
pub(crate) fn purge() -> usize {
    let before = MAPPED_BYTES.get();
    for (shift, current) in (MIN_SHIFT..).zip(&CHUNKS) {
        // AcqRel: as in `alloc_small`, both.
        let chunk = Addr(current.swap(0, Ordering::AcqRel));
        if !chunk.is_null() {
            end(chunk, shift, CURRENT);
        }
    }
    before.saturating_sub(MAPPED_BYTES.get()) as usize
}

/// Bytes mapped, bytes and number of the blocks in use.
pub(crate) fn figures() -> (u64, u64, u64) {
    (MAPPED_BYTES.get(), LIVE_BYTES.get(), LIVE_BLOCKS.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_apart_aligned_and_known_and_go_back() {
        for size in [0, 1, 16, 17, 1000, 5000, 32768, 32769, 70_000, 3 << 20] {
            let blocks: std::vec::Vec<Addr> = (0..40).map(|_| alloc(size, 1).unwrap()).collect();
            let mut sorted = blocks.clone();
            sorted.sort();
            assert!(sorted.windows(2).all(|pair| pair[1].since(pair[0]) >= size.max(16)), "{size}");
            for &at in &blocks {
                let tag = page_map::tag(at);
                assert!(tag.is_reserve() && usable(at, tag).unwrap() >= size && at.is_aligned(16));
                assert!(free(at, tag), "{size}");
            }
        }
        let far = alloc(100, 4096).unwrap();
        assert!(far.is_aligned(4096) && free(far, page_map::tag(far)));
        let far = alloc(100, 1 << 20).unwrap();
        assert!(far.is_aligned(1 << 20) && free(far, page_map::tag(far)));
        assert!(page_map::tag(far) == Tag::NONE);
        let empty = alloc(0, 1 << 20).unwrap();
        assert!(empty.is_aligned(1 << 20) && free(empty, page_map::tag(empty)));
        assert!(alloc(usize::MAX, 1).is_none() && alloc(1, 1 << 63).is_none());
    }

    #[test]
    fn a_chunk_is_used_again_when_no_block_is_left() {
        let first = alloc(20_000, 1).unwrap();
        assert!(free(first, page_map::tag(first)));
        for _ in 0..10 {
            let next = alloc(20_000, 1).unwrap();
            assert!(next == first && free(next, page_map::tag(next)));
        }
    }
}
