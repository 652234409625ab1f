//! What the pool knows: the numbers of its SuperSlabs, the cache and the index.
#![forbid(unsafe_code)]

use super::apart::{self, Room};
use super::cache::Cache;
use super::changed::Changed;
use super::free_slots::FreeSlots;
use super::index::{EMPTY, FREE, Index};
use super::slab::SlabKind;
use super::sp_slot::Slots;
use super::table::{self, Descriptors};
use crate::base::addr::Addr;
use crate::base::aside::Aside;
use crate::base::bits::{find_run, longest_run};
use crate::class::CLASSES;
use crate::os::lock::Mutex;

/// # Invariants
/// - P1: numbers below `high` have descriptors.
/// - P2: in a word, ACTIVE and EMPTY slots are apart, and slots that do not exist are ACTIVE.
/// - P3: exactly the cached SuperSlabs and the spare numbers are RETIRED, but for those on their way to be unmapped.
/// - P4: `IN_USE` and `DIRTY` count the slots of these states, but for those on their way, and ACTIVE ones that are held back (`held_back.rs`).
/// - P5: of a SuperSlab that serves one kind, slots change their state by whole slabs, which lie at multiples of their length.
#[repr(C)] // what is used most of the time comes first
pub(super) struct Pool {
    /// SuperSlab numbers below this were used at least once.
    pub(super) high: u32,
    /// Numbers whose SuperSlab was unmapped, for reuse: a stack threaded through `base`.
    pub(super) spare: Option<u32>,
    pub(super) cache: Cache,
    /// Where the search for aligned runs goes on.
    pub(super) turn: u32,
    /// Where the newest SuperSlab lies: the next one is asked for right below.
    pub(super) last: Addr,
    /// Those in use with a free slot that serve all kinds.
    pub(super) shared: Indexes,
    /// What is set aside for those that serve one, which follow.
    pub(super) room: Room,
    pub(super) own: [Indexes; CLASSES],
}

/// SuperSlabs in use with a free slot, by their longest runs.
pub(super) struct Indexes {
    pub(super) empty: Index<EMPTY>,
    pub(super) free: Index<FREE>,
}

impl Indexes {
    const fn new() -> Indexes {
        Indexes { empty: Index::new(), free: Index::new() }
    }

    fn file(&mut self, id: u32, slots: Slots, huge: bool) {
        let used = slots.active.count_ones();
        self.empty.file(id, longest_run(slots.empty), used, huge);
        self.free.file(id, longest_run(!slots.active), used, huge);
    }

    /// The SuperSlab that has a free run of `len`, as far as is known.
    pub(super) fn find(&self, len: u32) -> Option<u32> {
        self.empty.find(len).or_else(|| self.free.find(len))
    }
}

pub(super) static POOL: Aside<Mutex<Pool>> = Aside(Mutex::new(Pool {
    high: 0,
    spare: None,
    cache: Cache::new(),
    turn: 0,
    last: Addr::NULL,
    shared: Indexes::new(),
    room: Room::NONE,
    own: [const { Indexes::new() }; CLASSES],
}));
pub(super) static CHANGED: Changed = Changed::new();
pub(super) static FREE_SLOTS: Aside<FreeSlots> = Aside(FreeSlots::new());

impl Pool {
    /// Where a free run of `len` is: resident slots before fresh ones, then in the shortest of the longest runs that will do,
    /// then where most slots are ACTIVE. Returns the SuperSlab's number and the run's first slot.
    #[inline]
    pub(super) fn find(&mut self, len: u32) -> Option<(u32, u32)> {
        self.settle();
        loop {
            let id = self.shared.find(len)?;
            let slots = table::get(id).and_then(|super_slab| super_slab.word.look());
            let run = |slots: Slots| find_run(slots.empty, len).or_else(|| find_run(!slots.active, len));
            if let Some(first) = slots.and_then(run) {
                return Some((id, first));
            }
            // Slots were taken by stage 1 since the last look.
            self.file(id);
        }
    }

    /// The same among those that serve `kind` alone; of fresh places any.
    #[inline(always)] // for the stack: one frame with its only caller's
    pub(super) fn find_own(&mut self, kind: SlabKind, len: u32, random: u64) -> Option<(u32, u32)> {
        self.settle();
        loop {
            let id = self.own.get(kind.0 as usize)?.find(len)?;
            let slots = table::get(id).and_then(|super_slab| super_slab.word.look());
            let place = |slots: Slots| {
                apart::any_place(slots.empty, len, 0).or_else(|| apart::any_place(!slots.active, len, random))
            };
            if let Some(first) = slots.and_then(place) {
                return Some((id, first));
            }
            self.file(id);
        }
    }

    /// The one with the longest run of EMPTY slots, of whatever kind.
    pub(super) fn find_longest_empty(&self) -> Option<u32> {
        let own = || self.own.iter().find_map(|indexes| indexes.empty.find_longest());
        self.shared.empty.find_longest().or_else(|| if self.room.is_used() { own() } else { None })
    }

    /// Takes in what releases have noted.
    pub(super) fn settle(&mut self) {
        while let Some(id) = CHANGED.take(&Descriptors) {
            self.file(id);
        }
    }

    /// Files a SuperSlab by its slots as they are now.
    pub(super) fn file(&mut self, id: u32) {
        let Some(super_slab) = table::get(id) else { return };
        let slots = super_slab.word.look().unwrap_or(Slots { active: u32::MAX, empty: 0 });
        let own = super_slab.kind().and_then(|kind| self.own.get_mut(kind.0 as usize));
        own.unwrap_or(&mut self.shared).file(id, slots, super_slab.is_huge());
    }
}
