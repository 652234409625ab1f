//! Mappings as they come and go: counted, kept in the cache, given back to the kernel.
#![forbid(unsafe_code)]

use super::cache::Range;
use super::state::{CLOSED_BYTES, LARGE, MAPPED_BYTES, PURGED_BYTES};
use crate::base::addr::Addr;
use crate::os;
use crate::stats::level::{self, IN_USE};

/// Up to this size a block that grows is copied into resident memory, if the cache has it, rather than moved and
/// given fresh pages: a page costs less to copy than to fault in.
pub(super) const COPY_MAX: usize = 4 << 20;

/// Before so large a block gets a fresh mapping, as much of the cache goes: buffers of such sizes in turn would each leave one
/// behind, and the peak be twice what is used. glibc keeps none of this size.
pub(super) const IN_TURN: usize = 32 << 20;

/// Whether the kernel has room to move `from` bytes onto `to` bytes: it counts what is missing once more while both are there. Asked beforehand:
/// refused by then, what was set aside is lost.
pub(super) fn could_move(from: usize, to: usize) -> bool {
    os::could_map(to.saturating_sub(from))
}

/// Counts a new mapping, which is in use.
pub(super) fn fresh(bytes: usize) {
    grown(bytes);
    IN_USE.add_mapping(bytes);
}

/// Counts the end of one.
pub(super) fn gone(bytes: usize) {
    IN_USE.sub_mapping(bytes);
    shrunk(bytes);
}

/// Counts what became of one in use.
pub(super) fn resized(old: usize, bytes: usize) {
    if bytes >= old {
        grown(bytes - old);
    } else {
        shrunk(old - bytes);
    }
    IN_USE.resize_mapping(old, bytes);
}

pub(super) fn grown(bytes: usize) {
    MAPPED_BYTES.add(bytes as u64);
    level::MAPPED.add(bytes as u64);
}

fn shrunk(bytes: usize) {
    MAPPED_BYTES.sub(bytes as u64);
    level::MAPPED.sub(bytes as u64);
}

/// Takes back a mapping that is in use.
pub(super) fn give_back(base: Addr, bytes: usize) {
    IN_USE.sub_mapping(bytes);
    keep(Range { base, bytes });
}

/// Keeps a mapping that is no longer in use; what the cache has no room for goes back to the kernel.
#[cold]
pub(super) fn keep(range: Range) {
    let evicted = LARGE.lock().put(range);
    if let Some(range) = evicted {
        unmap(range);
    }
}

/// A mapping the kernel refuses to unmap (map count) is purged: its addresses are lost, its memory is not.
pub(super) fn unmap(range: Range) -> usize {
    PURGED_BYTES.add(range.bytes as u64);
    if os::unmap(range.base, range.bytes) {
        shrunk(range.bytes);
    } else {
        lose(range.bytes);
        os::purge(range.base, range.bytes);
    }
    range.bytes
}

/// Counts bytes that nobody will use again.
pub(super) fn lose(bytes: usize) {
    CLOSED_BYTES.add(bytes as u64);
    IN_USE.resize_mapping(0, bytes);
}
