//! Slabs of arenas that were destroyed, with `HAKMEM_HARDENED=1`: closed until later ones push them out, so that who still uses a block faults. They
//! cost addresses, and no memory.
#![forbid(unsafe_code)]

use super::apart;
use super::counts::{RELEASED, SMALL};
use super::slab::Slab;
use super::state::CHANGED;
use super::table::{self, Descriptors};
use crate::base::addr::GRANULE;
use crate::base::aside::Aside;
use crate::os::lock::Mutex;
use crate::stats::level;

/// Slabs held back, and their slots: 32 MiB.
const HELD: usize = 256;
const HELD_SLOTS: usize = 512;

/// # Invariants
/// - Z1: `slabs[(first + n) % HELD]` for `n < len` are there, and closed, oldest first; the others are not. Their slots sum up to `slots`. By their words
///   they are ACTIVE, and no counter counts them.
struct HeldBack {
    slabs: [Option<Slab>; HELD],
    first: usize,
    len: usize,
    slots: usize,
}

/// A leaf.
static HELD_BACK: Aside<Mutex<HeldBack>> =
    Aside(Mutex::new(HeldBack { slabs: [const { None }; HELD], first: 0, len: 0, slots: 0 }));

/// Closes a slab that nobody uses, and holds it back. One that can't be closed by itself comes back. Any thread.
#[cold]
#[inline(never)] // for the stack
pub(super) fn hold(slab: Slab) -> Option<Slab> {
    let own = table::get(slab.id).filter(|super_slab| super_slab.kind().is_some());
    if !own.is_some_and(|super_slab| apart::close(super_slab, slab.mask())) {
        return Some(slab);
    }
    RELEASED.add(1);
    SMALL.sub(slab.kind.small_slots(slab.len));
    level::IN_USE.sub_slots(slab.len as u64 * GRANULE as u64);
    let mut held = HELD_BACK.lock();
    while held.len == HELD || held.slots + slab.granules() > HELD_SLOTS {
        let Some(oldest) = held.pop() else { break };
        let_go(oldest);
    }
    held.push(slab);
    None
}

/// Gives all of them to the pool, which can do with the addresses. Any thread.
#[cold]
pub(super) fn let_all_go() {
    let mut held = HELD_BACK.lock();
    while let Some(oldest) = held.pop() {
        let_go(oldest);
    }
}

/// How many slots are held back.
pub(super) fn slots() -> u64 {
    HELD_BACK.lock().slots as u64
}

/// Nothing is in it, and it stays closed until somebody acquires it.
fn let_go(slab: Slab) {
    if let Some(super_slab) = table::get(slab.id) {
        super_slab.word.release(slab.mask(), 0);
        CHANGED.note(&Descriptors, slab.id);
    }
}

impl HeldBack {
    fn push(&mut self, slab: Slab) {
        self.slots += slab.granules();
        if let Some(place) = self.slabs.get_mut((self.first + self.len) % HELD) {
            *place = Some(slab);
            self.len += 1;
        }
    }

    fn pop(&mut self) -> Option<Slab> {
        let oldest = self.slabs.get_mut(self.first % HELD)?.take()?;
        self.first = (self.first + 1) % HELD;
        self.len -= 1;
        self.slots -= oldest.granules();
        Some(oldest)
    }
}
