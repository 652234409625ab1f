//! `Slab`: a run of slots, and what it is for.
#![forbid(unsafe_code)]

use crate::base::addr::{Addr, GRANULE};

/// Slots of a whole SuperSlab.
pub(crate) const SLOTS: u32 = 32;
pub(crate) const SUPERSLAB: usize = SLOTS as usize * GRANULE;

/// What a slab is for: the class whose free-slot list it came from and returns to, or a large block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlabKind(pub(crate) u8);

impl SlabKind {
    pub(crate) const LARGE: SlabKind = SlabKind(crate::class::CLASSES as u8);

    /// `slots` if their blocks are no larger than a page.
    pub(super) fn small_slots(self, slots: u8) -> u64 {
        if (self.0 as usize) < crate::class::PAGE_CLASSES { slots as u64 } else { 0 }
    }
}

/// A run of ACTIVE slots: whoever holds this owns the memory.
#[must_use = "dropping a Slab leaks its slots"]
pub(crate) struct Slab {
    pub(crate) base: Addr,
    pub(super) id: u32,
    pub(super) first: u8,
    pub(super) len: u8,
    pub(crate) kind: SlabKind,
    /// Whether some page may hold old bytes; otherwise all of it reads as zero.
    pub(crate) dirty: bool,
}

impl Slab {
    /// One of memory that is not the pool's, and never goes there. It may hold old bytes.
    pub(crate) fn given(base: Addr, slots: u32) -> Slab {
        Slab { base, id: u32::MAX, first: 0, len: slots as u8, kind: SlabKind::LARGE, dirty: true }
    }

    pub(crate) fn granules(&self) -> usize {
        self.len as usize
    }

    pub(super) fn mask(&self) -> u32 {
        crate::base::bits::low_mask(self.len as u32) << self.first
    }
}
