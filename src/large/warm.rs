//! Freed mappings that wait as they are for the thread that freed them, with record and all: what is made and freed again and
//! again comes and goes in one atomic step each. They are no longer in use, and count as cached.
//!
//! A waiting block has a tag of its own in the page map, which no free takes. So it can't be freed twice, and needs neither a record
//! nor an entry when it is wanted again. What no size wants goes into the cache, where ranges join: `drain`.

use super::cache::{Cache, Range};
use super::counts::dirty_bytes;
use super::keep::{IN_TURN, keep, keep_all};
use super::record::{self, Large};
use crate::base::addr::{Addr, GRANULE, GRANULE_SHIFT};
use crate::base::block::Block;
use crate::base::seats::{PLACES, Seats};
use crate::base::sync::AtomicU64;
use crate::meta::Spare;
#[cfg(feature = "paranoid")]
use crate::os::require;
use crate::page_map::{self, Tag};
use crate::stats::level::IN_USE;

pub(super) const COUNT: usize = 16;

/// A thread's seat is its own, or shared with few: that of its place in the gate.
///
/// | word  | meaning                                                           |
/// |-------|-------------------------------------------------------------------|
/// | 0     | nothing waits                                                     |
/// | other | a mapping's first granule in the upper half, their number in the lower |
pub(super) static SEATS: Seats<COUNT> = Seats::new();

fn word(range: Range) -> u64 {
    (range.base.granule() as u64) << 32 | (range.bytes / GRANULE) as u64
}

fn range(word: u64) -> Range {
    let (first, granules) = ((word >> 32) as usize, word as u32 as usize);
    Range { base: Addr(first << GRANULE_SHIFT), bytes: granules << GRANULE_SHIFT }
}

/// What became of a block that might wait.
pub(crate) enum Freed {
    Waits,
    /// Another thread took the last place at the seat: it is to go `into_cache`.
    Homeless(Range),
}

/// Frees the block at `at`, whose granule is tagged LARGE as `first_tag` said, if it can wait at `seat`. `None`: nothing was done.
#[inline(always)]
pub(crate) fn free(at: Addr, seat: usize) -> Option<Freed> {
    let place = SEATS.free_place(seat)?;
    let entry = page_map::first_entry(at)?;
    // SAFETY: the record of a granule tagged LARGE; of a block that the caller holds nobody changes it.
    let large = unsafe { entry.record().as_ptr::<Large>().as_ref() }?;
    let bytes = large.bytes;
    // Of two frees at once, the second finds the entry struck out.
    if large.base != at || !large.waits || bytes >= IN_TURN || !entry.claim(Tag::LARGE, Tag::WAITS) {
        return None;
    }
    IN_USE.sub_mapping(bytes);
    let freed = Range { base: at, bytes };
    Some(if Seats::<COUNT>::put(place, word(freed)) { Freed::Waits } else { Freed::Homeless(freed) })
}

/// A freed block that was seen to wait.
pub(crate) struct Waiting((&'static AtomicU64, u64));

/// A block of just so many granules that waits at `seat`, if one does. Needs no gate.
#[inline(always)]
pub(crate) fn find(size: usize, seat: usize) -> Option<Waiting> {
    // Not rounded up before the shift: that would make none of the largest sizes, and none fits a free place.
    let granules = (size.wrapping_sub(1) >> GRANULE_SHIFT) + 1;
    SEATS.find(seat, |word| word as u32 as usize == granules).next().map(Waiting)
}

/// That block, if it waits still.
///
/// With `free` all of a pair that repeats: no lock, no record made or entered anew.
#[inline(always)]
pub(crate) fn alloc(waiting: Waiting) -> Option<Block> {
    Seats::<COUNT>::take_from(waiting.0).map(|word| Block::at(taken(word)))
}

/// A block of so many granules that waits at `seat`.
#[inline(always)]
pub(super) fn take(seat: usize, granules: usize) -> Option<Addr> {
    debug_assert!(granules > 0, "a free place would fit");
    SEATS.take(seat, |word| word as u32 as usize == granules).map(taken)
}

/// The block of a word just taken, which is in use from now on.
#[inline(always)]
fn taken(word: u64) -> Addr {
    let Range { base, bytes } = range(word);
    IN_USE.add_mapping(bytes);
    if let Some(entry) = page_map::entry(base) {
        entry.renew(Tag::LARGE);
    }
    base
}

/// The same of any seat.
#[cold]
pub(super) fn take_anywhere(bytes: usize) -> Option<Addr> {
    if dirty_bytes() < bytes as u64 {
        return None;
    }
    (0..COUNT).find_map(|seat| take(seat, bytes >> GRANULE_SHIFT))
}

/// Puts all that waits into the cache, and has `find` look there. `spare` gets the record of one of them.
#[cold]
pub(super) fn drain<T>(spare: &mut Spare, find: impl FnOnce(&mut Cache) -> T) -> T {
    let mut waiting = [Range::NONE; PLACES];
    let mut len = 0;
    for seat in 0..COUNT {
        // No more than there is room for: others may go on leaving blocks here.
        for _ in 0..PLACES {
            let Some(word) = SEATS.take(seat, |word| word != 0) else { break };
            if len == PLACES {
                keep_all(&mut waiting, |_| ());
                len = 0;
            }
            let range = range(word);
            leave(range, spare);
            if let Some(place) = waiting.get_mut(len) {
                *place = range;
            }
            len += 1;
        }
    }
    keep_all(waiting.get_mut(..len).unwrap_or(&mut []), find)
}

/// Puts a block that is claimed, or was taken, into the cache.
#[cold]
pub(crate) fn into_cache(range: Range) {
    leave(range, &mut Spare::default());
    keep(range);
}

/// Strikes out what is on its way into the cache.
fn leave(range: Range, spare: &mut Spare) {
    let record = page_map::record(range.base);
    record::leave(range.base);
    spare.put(record, size_of::<Large>());
}

/// Feature `paranoid`: that what waits is as it should be. Returns its bytes. Any thread.
#[cfg(feature = "paranoid")]
pub(super) fn check() -> usize {
    let mut sum = 0;
    for seat in 0..COUNT {
        // Taken, so that nobody else has it meanwhile, and put back.
        let mut seen = [0; PLACES];
        for place in &mut seen {
            let Some(word) = SEATS.take(seat, |word| word != 0) else { break };
            let Range { base, bytes } = range(word);
            require(page_map::tag(base) == Tag::WAITS, "C3: the tag of a block that waits", base);
            // SAFETY: the record of a block that waits, which is ours while we have its word.
            let large = unsafe { &*page_map::record(base).as_ptr::<Large>() };
            let same = large.base == base && large.bytes == bytes && large.waits;
            require(same, "C3: the record of a block that waits", base);
            sum += bytes;
            *place = word;
        }
        for word in seen.into_iter().filter(|&word| word != 0) {
            if !SEATS.free_place(seat).is_some_and(|place| Seats::<COUNT>::put(place, word)) {
                into_cache(range(word));
            }
        }
    }
    sum
}
