//! The SP-SLOT word alone. (Here once more by path: in its box it is private.)

use core::cell::RefCell;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use super::check;
use crate::base::addr::Addr;
use crate::meta;

#[path = "../../../../src/superslab/sp_slot.rs"]
mod word;

use word::SlotWord;

const SLOTS: usize = 3;
const ABSENT: u32 = !0b111;

struct SuperSlab {
    word: &'static SlotWord,
    /// Where it lies: written before `publish`, while RETIRED.
    base: UnsafeCell<u32>,
    memory: [UnsafeCell<u32>; SLOTS],
}

impl SuperSlab {
    /// RETIRED, its word made as `table::make` does.
    fn new() -> Arc<SuperSlab> {
        let record = meta::alloc(size_of::<SlotWord>()).unwrap();
        // SAFETY: zeroed memory, for which zero is a valid word; it lives as long as this execution.
        let word: &'static SlotWord = unsafe { &*record.as_ptr() };
        word.init_retired();
        Arc::new(SuperSlab { word, base: UnsafeCell::new(0), memory: core::array::from_fn(|_| UnsafeCell::new(0)) })
    }

    fn publish(&self, base: u32) {
        // SAFETY: loom checks that nobody else is in the cell.
        self.base.with_mut(|at| unsafe { *at = base });
        self.word.publish(ABSENT, 0);
    }

    /// Acquires `mask` and uses the memory.
    fn acquire(&self, mask: u32) -> bool {
        let got = self.word.acquire(mask, false).is_some();
        if got {
            // SAFETY: loom checks that nobody writes the cell now.
            assert_eq!(self.base.with(|at| unsafe { *at }), 7, "who has a slot knows where it is");
            self.use_memory(mask);
        }
        got
    }

    fn release(&self, mask: u32) -> u32 {
        self.use_memory(mask);
        self.word.release(mask, u32::MAX)
    }

    fn use_memory(&self, mask: u32) {
        for slot in (0..SLOTS).filter(|slot| mask >> slot & 1 == 1) {
            // SAFETY: loom checks that nobody else is in the cell.
            self.memory[slot].with_mut(|last| unsafe { *last += 1 });
        }
    }
}

/// Two acquirers of overlapping runs and a release of the slot that both want: never two holders.
pub fn sp_slot_has_one_holder() {
    check(3, 0, || {
        let super_slab = SuperSlab::new();
        super_slab.publish(7);
        assert!(super_slab.acquire(0b010));
        let acquirer = |mask: u32| {
            let super_slab = super_slab.clone();
            thread::spawn(move || {
                let got = super_slab.acquire(mask);
                if got {
                    super_slab.use_memory(mask);
                }
                got
            })
        };
        let (one, two) = (acquirer(0b011), acquirer(0b110));
        assert!(super_slab.release(0b010) & 0b010 == 0);
        let (one, two) = (one.join().unwrap(), two.join().unwrap());
        assert!(!(one && two));
        let active = super_slab.word.look().map_or(0, |slots| slots.active);
        assert_eq!(active, ABSENT | if one { 0b011 } else { 0 } | if two { 0b110 } else { 0 });
    });
}

/// Releases and an acquire at once: no slot's state is lost with another's.
pub fn sp_slot_changes_are_not_lost() {
    check(3, 0, || {
        let super_slab = SuperSlab::new();
        super_slab.publish(7);
        assert!(super_slab.acquire(0b011));
        let releaser = |mask: u32| {
            let super_slab = super_slab.clone();
            thread::spawn(move || super_slab.release(mask))
        };
        let (one, two) = (releaser(0b001), releaser(0b010));
        let got = super_slab.acquire(0b100);
        one.join().unwrap();
        two.join().unwrap();
        assert!(got && super_slab.acquire(0b011));
        assert!(super_slab.word.look().is_some_and(|slots| slots.active == u32::MAX && slots.empty == 0));
    });
}

/// The last release, a retire that then unmaps, and an acquire: who gets a slot finds it mapped, or gets none.
pub fn sp_slot_retires_only_what_nobody_holds() {
    check(3, 0, || {
        let super_slab = SuperSlab::new();
        super_slab.publish(7);
        assert!(super_slab.acquire(0b001));
        let other = {
            let super_slab = super_slab.clone();
            thread::spawn(move || {
                let got = super_slab.acquire(0b010);
                if got {
                    super_slab.release(0b010);
                }
            })
        };
        let retirer = {
            let super_slab = super_slab.clone();
            thread::spawn(move || super_slab.word.retire(ABSENT).inspect(|_| super_slab.use_memory(0b111)))
        };
        super_slab.release(0b001);
        let retired = retirer.join().unwrap().is_some();
        other.join().unwrap();
        assert_eq!(super_slab.word.look().is_none(), retired);
        // Twice is once too often; the last to release would have retired it.
        assert_eq!(super_slab.word.retire(ABSENT).is_none(), retired);
    });
}

/// `publish` at another place while others try to acquire: they see the new base or get nothing.
pub fn sp_slot_publishes_its_base() {
    check(3, 0, || {
        let super_slab = SuperSlab::new();
        let acquirer = || {
            let super_slab = super_slab.clone();
            thread::spawn(move || super_slab.acquire(0b001))
        };
        let (one, two) = (acquirer(), acquirer());
        super_slab.publish(7);
        assert!(!(one.join().unwrap() && two.join().unwrap()));
    });
}
