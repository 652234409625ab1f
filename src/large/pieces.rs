//! A block for which no cached range is long enough is made of those there are: lengthened, moved to where there is room, or moved side by side.
//! So their pages are not faulted in anew, which costs a hundred times as much as moving them, and the process grows by no more than what is missing.
//!
//! What is made of several pieces stays several mappings to the kernel, of which a process may have 65,530. So pieces are joined only while even
//! mappings of a granule each would be far from that; and only where the kernel moves several of them by one call (Linux 6.17 and later), for freed
//! it is to be a piece again. In use it is not moved: refused half way, nobody could say where its bytes are. `realloc` copies it, once, to a
//! block of one piece.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU8, Ordering};

use super::cache::Range;
use super::counts::{FRESH_BYTES, MAPPED_BYTES, dirty_bytes, grown, lose};
use super::keep::{COPY_MAX, LARGE, could_move, keep};
use crate::base::addr::{Addr, GRANULE};
use crate::os::names::{self, Name};
use crate::os::{self, Resize};
use crate::superslab;

/// The part of a block that there must be for it to be made of that.
const WORTH: usize = 4;

/// Pieces of a block, at most, and the bytes of one that is not the last: moving it costs a call.
const MOST: usize = 6;
const LEAST: usize = 256 << 10;

/// Bytes of all mappings up to which there may be pieces: 16,384 granules.
const MOST_MAPPED: u64 = 1 << 30;

const UNKNOWN: u8 = 0;
const YES: u8 = 1;
const NO: u8 = 2;

/// Whether the kernel moves several mappings by one call. Relaxed, always: found out twice it is the same.
static TOGETHER: AtomicU8 = AtomicU8::new(UNKNOWN);

/// `bytes` made of a cached range, or of several if `may_join`, and how many of them may be other than zero. `None`: there is nothing worth it, or
/// it can't be.
#[cold]
#[inline(never)]
pub(super) fn make(bytes: usize, align: usize, may_join: bool) -> Option<(Addr, usize)> {
    if align > GRANULE || dirty_bytes() < (bytes / WORTH) as u64 {
        return None;
    }
    // Smaller ones come and go so fast that to fault in once what is missing is cheaper than to move again and again.
    let may_join = may_join && bytes > COPY_MAX && MAPPED_BYTES.get() <= MOST_MAPPED && move_together();
    let (at, stale) = if may_join { join(bytes)? } else { lengthen(bytes)? };
    grown(bytes - stale);
    FRESH_BYTES.add((bytes - stale) as u64);
    Some((at, stale))
}

/// The longest range, lengthened where it stands or moved to where there is room.
// A frame of its own, as `join`'s: a call has 1 KiB of stack.
#[inline(never)]
fn lengthen(bytes: usize) -> Option<(Addr, usize)> {
    let mut cache = LARGE.lock();
    // Another thread may have freed what fits since `mapping::make` looked.
    if let Some(base) = cache.take_best(bytes, GRANULE) {
        return Some((base, bytes));
    }
    let range = cache.take_largest(bytes / WORTH)?;
    drop(cache);
    let made = match os::resize_in_place(range.base, range.bytes, bytes) {
        Resize::Done => Some(range.base),
        Resize::Blocked => moved(range, bytes),
        // It is more than one mapping to the kernel.
        Resize::Never => None,
    };
    if made.is_none() {
        keep(range);
    }
    Some((made?, range.bytes))
}

/// Moves the pages of a range, one mapping to the kernel, to where there is room for `bytes`.
fn moved(range: Range, bytes: usize) -> Option<Addr> {
    let to = os::map_target(bytes, range.bytes)?;
    if !could_move(range.bytes, bytes) {
        os::unmap(to, bytes);
        return None;
    }
    range.strike_left();
    os::move_onto(range.base, range.bytes, to, bytes).then_some(to)
}

/// The longest ranges and, in the end, the one that fits best, moved side by side to where there is room.
#[inline(never)]
fn join(bytes: usize) -> Option<(Addr, usize)> {
    let mut ranges = [Range::NONE; MOST];
    let (pieces, stale) = choose(bytes, &mut ranges);
    match pieces {
        [whole] if whole.bytes == bytes => return Some((whole.base, bytes)),
        _ => {}
    }
    let to = if stale > bytes / WORTH { target(bytes, stale) } else { None };
    let Some(to) = to else {
        pieces.iter().copied().for_each(keep);
        return None;
    };
    let mut done = 0;
    for (index, piece) in pieces.iter().enumerate() {
        let end = done + piece.bytes;
        piece.strike_left();
        if !os::move_onto(piece.base, piece.bytes, to.offset(done), piece.bytes) {
            // The place that was meant for it is lost, see there; and so is the piece, some of whose mappings may have moved. Once.
            TOGETHER.store(NO, Ordering::Relaxed);
            lose(piece.bytes);
            if end < bytes {
                os::unmap(to.offset(end), bytes - end);
            }
            if done > 0 {
                keep(Range { base: to, bytes: done });
            }
            pieces.iter().skip(index + 1).copied().for_each(keep);
            return None;
        }
        done = end;
    }
    Some((to, stale))
}

/// Takes what is to be joined from the cache, and sums it up: no more than `bytes`.
fn choose(bytes: usize, ranges: &mut [Range; MOST]) -> (&[Range], usize) {
    let mut cache = LARGE.lock();
    let (mut len, mut sum) = (0, 0);
    for place in ranges.iter_mut() {
        let rest = bytes - sum;
        // At first too: another thread may have freed what fits since `mapping::make` looked.
        let fits = cache.take_best(rest, GRANULE).map(|base| Range { base, bytes: rest });
        let Some(range) = fits.or_else(|| cache.take_largest(LEAST)) else { break };
        *place = range;
        len += 1;
        sum += range.bytes;
        if sum == bytes {
            break;
        }
    }
    (ranges.get(..len).unwrap_or(&[]), sum)
}

/// Addresses for `bytes`, of which `from` are to be moved there; those behind them are open.
fn target(bytes: usize, from: usize) -> Option<Addr> {
    let to = os::map_target(bytes, from)?;
    let (at, rest) = (to.offset(from), bytes - from);
    if rest > 0 && !os::unguard(at, rest) {
        os::unmap(to, bytes);
        return None;
    }
    if rest > 0 {
        names::give(at, rest, Name::Large);
        superslab::advise_large(at, rest);
    }
    Some(to)
}

/// Whether the kernel moves several mappings by one call: found out by trying, once.
fn move_together() -> bool {
    if TOGETHER.load(Ordering::Relaxed) == UNKNOWN {
        match try_two() {
            Some(true) => TOGETHER.store(YES, Ordering::Relaxed),
            Some(false) => TOGETHER.store(NO, Ordering::Relaxed),
            None => {}
        }
    }
    TOGETHER.load(Ordering::Relaxed) == YES
}

/// Moves two granules that are different mappings. `None`: there is no memory to try it with.
#[cold]
fn try_two() -> Option<bool> {
    const TWO: usize = 2 * GRANULE;
    let from = os::map_aligned(Addr::NULL, TWO, GRANULE)?;
    let apart = os::guard(from.offset(GRANULE), GRANULE);
    let to = if apart { os::map_target(TWO, TWO) } else { None };
    let moved = to.map(|to| os::move_onto(from, TWO, to, TWO));
    os::unmap(to.filter(|_| moved == Some(true)).unwrap_or(from), TWO);
    moved
}
