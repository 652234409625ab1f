//! Box `superslab` (L3): the shared pool. Gives out runs of 64 KiB slots and takes them back.
//! Owns: the SuperSlabs (2 MiB mappings, all user memory), their descriptors, the SP-SLOT words, the cache of empty ones; hardened, the rooms that they
//! come from.
//! Calls: base, os, class, stats, canary, config, meta, page_map.   Called by: span, large, heap, hardened, reclaim, report, abi.   Locks: `BATCH`, `GROWTH` → `POOL` (then meta's); `HELD_BACK`, a leaf.
//! Threads: any.   Never: writes into a slot, unmaps a SuperSlab with an ACTIVE slot.

mod aligned;
mod apart;
mod cache;
mod changed;
#[cfg(feature = "paranoid")]
mod check;
mod counts;
mod free_slots;
mod held_back;
mod huge;
mod index;
mod pool;
mod purge;
mod slab;
mod snapshot;
mod sp_slot;
mod stale;
mod state;
mod supply;
mod table;

pub(crate) use counts::{acquired, active_bytes, dirty_bytes, evicted_bytes, fresh_bytes, idle_bytes};
pub(crate) use huge::{advise_large, is_huge, split_around};
pub(crate) use pool::{acquire_aligned, acquire_more, acquire_slab, release_one_of_many, release_slab, release_tail};
pub(crate) use purge::{purge, unmap_cached};
pub(crate) use slab::{SUPERSLAB, Slab, SlabKind};
pub(crate) use snapshot::{Snapshot, snapshot};
pub(crate) use supply::keep;
pub(crate) use table::LAYOUT;

#[cfg(feature = "paranoid")]
pub(crate) use check::{check, is_active};
