//! Mappings that nobody uses any more: kept in the cache, given back to the kernel.
#![forbid(unsafe_code)]

use super::cache::{Cache, Range};
use super::counts::{PURGED_BYTES, lose, shrunk};
use crate::base::addr::Addr;
use crate::base::aside::Aside;
use crate::os;
use crate::os::lock::Mutex;
use crate::stats::level::IN_USE;

/// The cache of freed mappings.
pub(super) static LARGE: Aside<Mutex<Cache>> = Aside(Mutex::new(Cache::new()));

/// Up to this size a block that grows is copied into resident memory, if the cache has it, rather than moved and
/// given fresh pages: a page costs less to copy than to fault in.
pub(super) const COPY_MAX: usize = 4 << 20;

/// Before so large a block gets a fresh mapping, as much of the cache goes: buffers of such sizes in turn would each leave one
/// behind, and the peak be twice what is used. glibc keeps none of this size.
pub(crate) const IN_TURN: usize = 32 << 20;

/// Whether the kernel has room to move `from` bytes onto `to` bytes: it counts what is missing once more while both are there. Asked beforehand:
/// refused by then, what was set aside is lost.
pub(super) fn could_move(from: usize, to: usize) -> bool {
    os::could_map(to.saturating_sub(from))
}

/// Takes back a mapping that is in use.
pub(super) fn give_back(base: Addr, bytes: usize) {
    IN_USE.sub_mapping(bytes);
    keep(Range { base, bytes });
}

/// Keeps a mapping that is no longer in use.
#[cold]
pub(super) fn keep(range: Range) {
    keep_all(&mut [range], |_| ());
}

/// Keeps mappings that are no longer in use, and has `find` look at the cache then, by one turn at its lock. What it has no room for goes back to
/// the kernel.
#[inline(always)]
pub(super) fn keep_all<T>(ranges: &mut [Range], find: impl FnOnce(&mut Cache) -> T) -> T {
    let mut cache = LARGE.lock();
    for range in &mut *ranges {
        *range = cache.put(*range).unwrap_or(Range::NONE);
    }
    let found = find(&mut cache);
    drop(cache);
    for &mut range in ranges {
        if range != Range::NONE {
            unmap(range);
        }
    }
    found
}

/// A mapping the kernel refuses to unmap (map count) is purged: its addresses are lost, its memory is not.
pub(super) fn unmap(range: Range) -> usize {
    PURGED_BYTES.add(range.bytes as u64);
    range.strike_left();
    if os::unmap(range.base, range.bytes) {
        shrunk(range.bytes);
    } else {
        lose(range.bytes);
        os::purge(range.base, range.bytes);
    }
    range.bytes
}
