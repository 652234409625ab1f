//! Large blocks that are runs of slots of the shared pool.
#![forbid(unsafe_code)]

use super::counts::{RUN_BYTES, RUNS};
use super::record::Large;
use crate::base::addr::{Addr, GRANULE};
use crate::superslab::{self, SlabKind};

/// Aligned blocks up to this size are runs of slots.
pub(super) const RUN_MAX: usize = 1 << 20;

/// So are blocks that `realloc` grew, up to this size. Larger ones grow with their pages, in mappings of their own: a run that can't
/// is copied, and what it leaves serves no larger block. Thirty buffers grown to 2 MiB together (bench_c/bench_realloc 15 30):
/// 142,000 faults and a peak of 88 MiB, with 1 MiB here 249,000 and 108; 128 and 64 KiB gain little more.
pub(super) const GROWN_MAX: usize = 256 << 10;

/// For `size` bytes; `bytes`: as a granule multiple, of at most half a SuperSlab.
pub(super) fn make(size: usize, bytes: usize, align: usize) -> Option<(Large, usize)> {
    let slots = (bytes / GRANULE) as u32;
    let slab = if align <= GRANULE {
        superslab::acquire_slab(SlabKind::LARGE, slots)
    } else {
        superslab::acquire_aligned(SlabKind::LARGE, slots, align)
    }?;
    let stale = if slab.dirty { bytes } else { 0 };
    RUNS.add(1);
    RUN_BYTES.add(bytes as u64);
    Some((Large { size, ..Large::plain(slab.base, bytes, Some(slab)) }, stale))
}

/// Makes the block hold `size` bytes, `bytes` of whole slots: gives back those at its end, or takes the ones behind it where they are
/// free; otherwise the caller copies.
pub(super) fn resize(large: &mut Large, bytes: usize, size: usize) -> Option<Addr> {
    if bytes <= large.bytes {
        // What fits into less than a slot is copied: the slot is worth more to others.
        if size <= GRANULE / 8 * 5 {
            return None;
        }
        if bytes < large.bytes {
            if let Some(slab) = large.slab.as_mut() {
                superslab::release_tail(slab, ((large.bytes - bytes) / GRANULE) as u32);
                RUN_BYTES.sub((large.bytes - bytes) as u64);
                large.bytes = bytes;
            }
        }
        // As far as that the program may have written.
        large.size = bytes;
        return Some(large.base);
    }
    // An aligned one that grows far is better off with a mapping of its own too.
    if bytes > GROWN_MAX {
        return None;
    }
    let more = (bytes - large.bytes) / GRANULE;
    if !large.slab.as_mut().is_some_and(|slab| superslab::acquire_more(slab, more as u32)) {
        return None;
    }
    RUN_BYTES.add((bytes - large.bytes) as u64);
    large.bytes = bytes;
    large.size = size;
    Some(large.base)
}

#[cfg(test)]
mod tests {
    use crate::large;

    #[test]
    fn what_was_never_asked_for_does_not_make_a_run_too_long() {
        let Some(block) = large::alloc_growing(70_000) else { panic!("no memory") };
        let at = block.at();
        assert!(large::stays(at, 60_000) && large::usable(at) == Some(131_072));
        // Once written, it takes memory whatever is asked for later.
        assert!(large::stays(at, 120_000) && large::stays(at, 80_000) && !large::stays(at, 60_000));
        assert!(large::resize(at, 60_000) == Some(at) && large::usable(at) == Some(65_536));
        large::free(at);
    }
}
