//! Large blocks with a mapping of their own.
#![forbid(unsafe_code)]

use super::cache::{Cache, Range};
use super::carry::carry;
use super::counts::{FRESH_BYTES, dirty_bytes, fresh, resized};
use super::keep::{COPY_MAX, IN_TURN, LARGE, could_move, keep, unmap};
use super::record::Large;
use super::run::RUN_MAX;
use super::{pieces, warm};
use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::round_up;
use crate::meta::Spare;
use crate::os::names::{self, Name};
use crate::os::{self, Resize};
use crate::page_map;
use crate::stats::level::IN_USE;
use crate::superslab;

/// A mapping for `size` bytes, of several pieces if `may_join`, and how many at its start may be other than zero. `spare` gets the record of a block
/// that made way for it.
pub(super) fn make(size: usize, align: usize, may_join: bool, spare: &mut Spare) -> Option<(Large, usize)> {
    let (bytes, align) = (round_up(size, GRANULE)?, align.max(GRANULE));
    if let Some(base) = cached(bytes, spare, |cache| cache.take_best(bytes, align)) {
        IN_USE.add_mapping(bytes);
        return Some((Large::plain(base, bytes, None), bytes));
    }
    if let Some((base, stale)) = pieces::make(bytes, align, may_join) {
        IN_USE.add_mapping(bytes);
        return Some((Large::plain(base, bytes, None), stale));
    }
    if bytes >= IN_TURN {
        purge(bytes.min(dirty_bytes() as usize));
    }
    let base = os::map_aligned(Addr::NULL, bytes, align)?;
    names::give(base, bytes, Name::Large);
    superslab::advise_large(base, bytes);
    // Under `mlockall` all of it is resident by now: what nobody asked for need not be.
    let pages = round_up(size, os::page_size())?;
    if pages < bytes {
        os::purge(base.offset(pages), bytes - pages);
    }
    fresh(bytes);
    FRESH_BYTES.add(bytes as u64);
    Some((Large::plain(base, bytes, None), 0))
}

/// What `find` finds in the cache, with all that waits at seats put there. `bytes`: the least that must be free for that to be
/// worth a look.
fn cached<T>(bytes: usize, spare: &mut Spare, find: impl FnOnce(&mut Cache) -> Option<T>) -> Option<T> {
    if dirty_bytes() < bytes as u64 {
        return None;
    }
    // First, for then it joins: of two halves neither fits.
    warm::drain(spare, find)
}

/// Grows or shrinks in place, or moves the pages; nothing is copied. What is cut off is cached, and what comes anew counts as fresh: a
/// block cut and lengthened in turn learns to keep its end. Before, each turn was a call, and a fault a page.
pub(super) fn resize(large: &mut Large, bytes: usize) -> Option<Addr> {
    if bytes <= large.bytes {
        if bytes <= large.bytes / 2 && bytes <= RUN_MAX {
            return None;
        }
        // Of a block of one granule, or two, what does not stay may be less than a granule.
        if bytes < large.bytes {
            let end = Range { base: large.base.offset(bytes), bytes: large.bytes - bytes };
            IN_USE.resize_mapping(large.bytes, bytes);
            large.bytes = bytes;
            keep(end);
        }
        return Some(large.base);
    }
    if take_behind(large, bytes) {
        return Some(large.base);
    }
    if bytes <= COPY_MAX && LARGE.lock().holds(bytes) {
        return None;
    }
    // What grew once grows again: an eighth more of addresses, not of memory, makes the number of moves logarithmic.
    let wanted = bytes.max(large.bytes + large.bytes / 8 / GRANULE * GRANULE);
    let wanted = if os::quota::has_room(wanted - large.bytes) { wanted } else { bytes };
    match lengthen(large, wanted) {
        Resize::Done => return Some(large.base),
        Resize::Blocked => {}
        // Several mappings to the kernel: copied, in steps if there is no room for both.
        Resize::Never if os::quota::has_room(wanted) => return None,
        Resize::Never => return carry(large, wanted),
    }
    let to = os::map_target(wanted, large.bytes)?;
    if !transfer(large, to, wanted, wanted) {
        return None;
    }
    FRESH_BYTES.add((wanted - large.bytes) as u64);
    resized(large.bytes, wanted);
    large.bytes = wanted;
    Some(to)
}

/// Makes the block `bytes` long, longer than it is, where it stands. Says whether that could be.
pub(super) fn expand(large: &mut Large, bytes: usize) -> bool {
    take_behind(large, bytes) || matches!(lengthen(large, bytes), Resize::Done)
}

/// Lengthens the block by what the cache has right behind it.
fn take_behind(large: &mut Large, bytes: usize) -> bool {
    let more = bytes - large.bytes;
    let found =
        cached(more, &mut Spare::default(), |cache| cache.take_at(large.base.offset(large.bytes), more).then_some(()))
            .is_some();
    if found {
        IN_USE.resize_mapping(large.bytes, bytes);
        large.bytes = bytes;
    }
    found
}

/// Lengthens the block by what the kernel has there.
fn lengthen(large: &mut Large, bytes: usize) -> Resize {
    let done = os::resize_in_place(large.base, large.bytes, bytes);
    if let Resize::Done = done {
        FRESH_BYTES.add((bytes - large.bytes) as u64);
        resized(large.bytes, bytes);
        large.bytes = bytes;
    }
    done
}

/// Moves the block's pages onto the first `to_bytes` of a new mapping of `to_mapped` bytes, and its entry with them.
/// `false`: refused, all as before.
pub(crate) fn transfer(large: &mut Large, to: Addr, to_bytes: usize, to_mapped: usize) -> bool {
    let from = large.base;
    let (tag, record) = (page_map::tag(from), page_map::record(from));
    // Made sure of while the place is surely ours: to enter it can't fail then.
    if !page_map::prepare(to, 1) || !could_move(large.bytes, to_bytes) {
        os::unmap(to, to_mapped);
        return false;
    }
    // Struck out first: once moved, another thread may map something else at the old place and enter it.
    page_map::strike(from, 1);
    page_map::strike_left(from, large.bytes / GRANULE);
    if !os::move_onto(from, large.bytes, to, to_bytes) {
        // Kernels before 6.17 unmap `to_bytes` there before they find that they can't move: by now they may be another
        // thread's. So they are neither unmapped nor struck out; at worst untouched addresses are lost, where the map
        // count ran out. What is behind them is ours.
        if to_mapped > to_bytes {
            os::unmap(to.offset(to_bytes), to_mapped - to_bytes);
        }
        page_map::enter(from, 1, tag, record);
        return false;
    }
    large.base = to;
    page_map::enter(to, 1, tag, record);
    true
}

/// Unmaps what waits for the next block, oldest first, until `want` bytes went back. Returns bytes. Any thread.
pub(crate) fn purge(want: usize) -> usize {
    if want > 0 {
        warm::drain(&mut Spare::default(), |_| ());
    }
    let mut given = 0;
    while given < want {
        let oldest = LARGE.lock().take_oldest(want - given);
        let Some(range) = oldest else { break };
        given += unmap(range);
    }
    given
}

#[cfg(test)]
mod tests {
    use crate::large;

    #[test]
    fn a_block_that_shrinks_by_less_than_a_granule_leaves_nothing() {
        let Some(block) = large::alloc(320 << 10, 1) else { panic!("no memory") };
        let at = block.at();
        for size in [190 << 10, 110 << 10, 75 << 10, 60 << 10] {
            assert!(large::stays(at, size) || large::resize(at, size).is_none_or(|to| to == at));
        }
        large::free(at);
    }
}
