//! SP-SLOT: the states of a SuperSlab's slots, in one atomic word that only these methods move.
//!
//! | slot    | active | empty | memory           | leaves by                                            |
//! |---------|--------|-------|------------------|------------------------------------------------------|
//! | UNUSED  | 0      | 0     | reads as zero    | `acquire` → ACTIVE                                   |
//! | ACTIVE  | 1      | 0     | its holder's     | `release` → EMPTY (or UNUSED when known to be clean) |
//! | EMPTY   | 0      | 1     | old bytes        | `acquire` → ACTIVE                                   |
//! | RETIRED | all 1  | all 1 | maybe not mapped | `publish`, by the holder of the pool lock            |
//!
//! The whole state is in the word, so a CAS that succeeds is right whatever happened in between: there is no ABA, and a
//! stale hint about a slot does no harm. A purge acquires the slot, gives the pages back and releases it as clean.
#![forbid(unsafe_code)]

use crate::base::sync::{AtomicU64, Ordering};

pub(super) struct SlotWord(AtomicU64);

const RETIRED: u64 = u64::MAX;

fn pack(active: u32, empty: u32) -> u64 {
    (empty as u64) << 32 | active as u64
}

/// One look at a word that is not RETIRED.
#[derive(Clone, Copy)]
pub(super) struct Slots {
    pub(super) active: u32,
    pub(super) empty: u32,
}

impl SlotWord {
    pub(super) fn look(&self) -> Option<Slots> {
        // Acquire pairs with the AcqRel in `release`: a scan that follows an `avail` bit sees what set it.
        let word = self.0.load(Ordering::Acquire);
        (word != RETIRED).then_some(Slots { active: word as u32, empty: (word >> 32) as u32 })
    }

    /// RETIRED → in use. The descriptor's other fields must be written before.
    pub(super) fn publish(&self, active: u32, empty: u32) {
        // Release pairs with the Acquire in `acquire`: who gets a slot sees the SuperSlab's base.
        self.0.store(pack(active, empty), Ordering::Release);
    }

    /// A descriptor that was never published reads as zero from the kernel; this makes it RETIRED.
    pub(super) fn init_retired(&self) {
        // Relaxed: nobody knows the descriptor before `publish`.
        self.0.store(RETIRED, Ordering::Relaxed);
    }

    /// UNUSED or EMPTY → ACTIVE, all of `mask` or nothing. Says which slots were EMPTY.
    /// With `only_empty`, UNUSED slots are refused too: a hint promised dirty ones.
    pub(super) fn acquire(&self, mask: u32, only_empty: bool) -> Option<u32> {
        // Relaxed: only compared.
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let (active, empty) = (word as u32, (word >> 32) as u32);
            if active & mask != 0 || (only_empty && empty & mask != mask) {
                return None;
            }
            let new = pack(active | mask, empty & !mask);
            // Acquire pairs with the Release in `release` (the last holder's writes are done) and in `publish`.
            match self.0.compare_exchange_weak(word, new, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return Some(empty & mask),
                Err(seen) => word = seen,
            }
        }
    }

    /// ACTIVE → EMPTY where `dirty` says so, else UNUSED. Returns the slots still ACTIVE.
    pub(super) fn release(&self, mask: u32, dirty: u32) -> u32 {
        // Relaxed: only compared.
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let (active, empty) = (word as u32 & !mask, (word >> 32) as u32 | (dirty & mask));
            // Release pairs with the Acquire in `acquire` and `retire`: our use of the memory is over.
            match self.0.compare_exchange_weak(word, pack(active, empty), Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return active,
                Err(seen) => word = seen,
            }
        }
    }

    /// Nothing ACTIVE but `absent` → RETIRED. Returns which slots were EMPTY; `None` when one is in use.
    pub(super) fn retire(&self, absent: u32) -> Option<u32> {
        // Relaxed: only compared.
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            if word as u32 != absent || word == RETIRED {
                return None;
            }
            // Acquire pairs with the Release in `release`: all use of the memory is over before it is unmapped.
            match self.0.compare_exchange_weak(word, RETIRED, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Some((word >> 32) as u32),
                Err(seen) => word = seen,
            }
        }
    }

    #[cfg(test)]
    pub(super) fn new() -> SlotWord {
        SlotWord(AtomicU64::new(RETIRED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_goes_round_its_states() {
        let word = SlotWord::new();
        assert!(word.acquire(1, false).is_none(), "RETIRED gives nothing");
        word.publish(0xFFFF_0000, 0);
        assert_eq!(word.acquire(0b11, false), Some(0));
        assert_eq!(word.acquire(0b10, false), None, "ACTIVE is not given twice");
        assert_eq!(word.retire(0xFFFF_0000), None, "in use");
        assert_eq!(word.release(0b01, u32::MAX), 0xFFFF_0002);
        assert_eq!(word.look().map(|slots| slots.empty), Some(0b01));
        assert_eq!(word.acquire(0b01, true), Some(0b01));
        assert_eq!(word.acquire(0b100, true), None, "UNUSED where EMPTY was promised");
        assert_eq!(word.release(0b11, 0b01), 0xFFFF_0000);
        assert_eq!(word.retire(0xFFFF_0000), Some(0b01));
        assert_eq!(word.retire(0xFFFF_0000), None, "RETIRED once");
        assert!(word.look().is_none());
    }
}
