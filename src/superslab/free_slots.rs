//! The lock-free lists of EMPTY slots, one for each class: stage 1 of `acquire_slab`.
//!
//! An entry is only a hint: the slot word decides. So a list may name slots that are long gone, and when the nodes run
//! out the hint is dropped: the slot is then found by stage 2, under the mutex.
#![forbid(unsafe_code)]

use super::slab::SlabKind;
use crate::base::index_stack::{IndexStack, Links};
use crate::base::sync::{AtomicU32, Ordering};
use crate::class::CLASSES;
use crate::config;
use crate::stats::counter::Counter;

const NODES: usize = 16_384;

#[repr(C)] // what every process touches comes last, beside the words of other boxes
pub(super) struct FreeSlots {
    links: [AtomicU32; NODES],
    /// Which slot a node names: SuperSlab number * 32 + first slot.
    slots: [AtomicU32; NODES],
    lists: [IndexStack; CLASSES],
    spare: IndexStack,
    /// Nodes handed out at least once; those above were never used.
    fresh: AtomicU32,
    pub(super) dropped: Counter,
}

impl Links for FreeSlots {
    fn link(&self, index: u32) -> &AtomicU32 {
        self.links.get(index as usize).unwrap_or(&self.fresh)
    }
}

impl FreeSlots {
    pub(super) const fn new() -> FreeSlots {
        FreeSlots {
            lists: [const { IndexStack::new() }; CLASSES],
            spare: IndexStack::new(),
            fresh: AtomicU32::new(0),
            links: [const { AtomicU32::new(0) }; NODES],
            slots: [const { AtomicU32::new(0) }; NODES],
            dropped: Counter::new(),
        }
    }

    /// Names an EMPTY run to the class that used it last.
    pub(super) fn push(&self, kind: SlabKind, id: u32, first: u8) {
        let Some(list) = self.lists.get(kind.0 as usize) else { return };
        let Some(node) = self.node() else {
            self.dropped.add(1);
            return;
        };
        if let Some(slot) = self.slots.get(node as usize) {
            // Relaxed: published with the node by the stack's Release.
            slot.store(id * 32 + first as u32, Ordering::Relaxed);
        }
        list.push(self, node);
    }

    /// A run that was EMPTY once: SuperSlab number and first slot.
    pub(super) fn pop(&self, kind: SlabKind) -> Option<(u32, u8)> {
        let node = self.lists.get(kind.0 as usize)?.pop(self)?;
        // Relaxed: the stack's Acquire made it visible.
        let slot = self.slots.get(node as usize)?.load(Ordering::Relaxed);
        self.spare.push(self, node);
        Some((slot / 32, (slot % 32) as u8))
    }

    fn node(&self) -> Option<u32> {
        if let Some(node) = self.spare.pop(self) {
            return Some(node);
        }
        let limit = config::get::slot_nodes().clamp(0, NODES as i64) as u32;
        // Relaxed: a number nobody else gets; nothing is published by it.
        self.fresh.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| (used < limit).then_some(used + 1)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_last_in_first_out_and_nodes_running_out_only_drops_hints() {
        static LISTS: FreeSlots = FreeSlots::new();
        let (a, b) = (SlabKind(3), SlabKind(4));
        LISTS.push(a, 7, 31);
        LISTS.push(a, 8, 0);
        LISTS.push(b, 9, 5);
        assert_eq!(LISTS.pop(a), Some((8, 0)));
        assert_eq!(LISTS.pop(b), Some((9, 5)));
        for id in 0..NODES as u32 + 10 {
            LISTS.push(b, id, 1);
        }
        assert_eq!(LISTS.dropped.get(), 11);
        assert_eq!(LISTS.pop(b), Some((NODES as u32 - 2, 1)));
        assert_eq!(LISTS.pop(a), Some((7, 31)));
        assert_eq!(LISTS.pop(a), None);
    }
}
