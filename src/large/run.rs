//! Large blocks that are runs of slots of the shared pool.
#![forbid(unsafe_code)]

use super::Large;
use crate::base::addr::{Addr, GRANULE};
use crate::superslab::{self, SlabKind};

/// `bytes`: a granule multiple of at most half a SuperSlab.
pub(super) fn make(bytes: usize, align: usize) -> Option<(Large, bool)> {
    let slots = (bytes / GRANULE) as u32;
    let slab = if align <= GRANULE {
        superslab::acquire_slab(SlabKind::LARGE, slots)
    } else {
        superslab::acquire_aligned(SlabKind::LARGE, slots, align)
    }?;
    let zero = !slab.dirty;
    Some((Large::plain(slab.base, bytes, Some(slab)), zero))
}

/// Keeps the block where it fits, takes the slots behind it where they are free; otherwise the caller copies.
pub(super) fn resize(large: &mut Large, bytes: usize) -> Option<Addr> {
    if bytes <= large.bytes {
        // A block that shrank below half its run is copied: the run is worth more to others.
        return (bytes > large.bytes / 2).then_some(large.base);
    }
    if bytes > super::RUN_MAX {
        return None;
    }
    let more = (bytes - large.bytes) / GRANULE;
    if !large.slab.as_mut().is_some_and(|slab| superslab::acquire_more(slab, more as u32)) {
        return None;
    }
    large.bytes = bytes;
    Some(large.base)
}
