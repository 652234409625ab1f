//! Box `superslab` (L3): the shared pool. Gives out runs of 64 KiB slots and takes them back.
//! Owns: the SuperSlabs (2 MiB mappings, all user memory), their descriptors, the SP-SLOT words, the cache of empty ones.
//! Calls: base, os, stats, config, meta, page_map.   Called by: span, large.   Locks: `BATCH`, `GROWTH` → `POOL` (then meta's).
//! Threads: any.   Never: writes into a slot, unmaps a SuperSlab with an ACTIVE slot.

mod aligned;
mod cache;
mod changed;
#[cfg(feature = "paranoid")]
mod check;
mod free_slots;
mod huge;
mod index;
mod pool;
mod purge;
mod snapshot;
mod sp_slot;
mod state;
mod supply;
mod table;

pub(crate) use huge::split_around;
pub(crate) use pool::{acquire_aligned, acquire_more, acquire_slab, release_slab, release_tail};
pub(crate) use purge::{purge, unmap_cached};
pub(crate) use snapshot::{Snapshot, snapshot};
pub(crate) use state::{acquired, active_bytes, dirty_bytes, fresh_bytes, idle_bytes};
pub(crate) use table::LAYOUT;

#[cfg(feature = "paranoid")]
pub(crate) use check::{check, is_active};

use crate::base::addr::{Addr, GRANULE};

/// Slots of a whole SuperSlab.
pub(crate) const SLOTS: u32 = 32;
pub(crate) const SUPERSLAB: usize = SLOTS as usize * GRANULE;

/// What a slab is for: the class whose free-slot list it came from and returns to, or a large block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlabKind(pub(crate) u8);

impl SlabKind {
    pub(crate) const LARGE: SlabKind = SlabKind(crate::class::CLASSES as u8);

    /// `slots` if they hold tiny blocks.
    fn tiny_slots(self, slots: u8) -> u64 {
        if (self.0 as usize) < crate::class::TINY_CLASSES { slots as u64 } else { 0 }
    }
}

/// A run of ACTIVE slots: whoever holds this owns the memory.
#[must_use = "dropping a Slab leaks its slots"]
pub(crate) struct Slab {
    pub(crate) base: Addr,
    id: u32,
    first: u8,
    len: u8,
    pub(crate) kind: SlabKind,
    /// Whether some page may hold old bytes; otherwise all of it reads as zero.
    pub(crate) dirty: bool,
}

impl Slab {
    pub(crate) fn granules(&self) -> usize {
        self.len as usize
    }

    fn mask(&self) -> u32 {
        crate::base::bits::low_mask(self.len as u32) << self.first
    }
}
