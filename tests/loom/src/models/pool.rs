//! The whole box `superslab`, through its door: stages, hints, the index and its notes, retiring, purging.
//! The stand-in for the kernel has few granules, so that a slot that got lost shows as out of memory.

use loom::thread;

use super::check;
use crate::superslab::{Slab, SlabKind, acquire_more, acquire_slab, purge, release_slab};
use crate::{config, os};

const MINE: SlabKind = SlabKind(0);
const OTHERS: SlabKind = SlabKind(1);

/// A slab, used.
fn take(kind: SlabKind, len: u32, who: u32) -> Option<Slab> {
    let slab = acquire_slab(kind, len)?;
    assert_eq!(slab.granules(), len as usize);
    os::use_slots(slab.base, slab.granules(), who);
    Some(slab)
}

/// Uses it once more and gives it back.
fn give(slab: Slab, who: u32) {
    os::use_slots(slab.base, slab.granules(), who);
    release_slab(slab);
}

/// A release and a look into the index at once, in a full SuperSlab: the slot is found by somebody.
pub fn pool_a_released_slot_is_not_lost() {
    check(3, 2, || {
        config::set(0, 0);
        let (one, two) = (take(MINE, 1, 1).unwrap(), take(MINE, 1, 1).unwrap());
        let other = thread::spawn(|| take(OTHERS, 1, 2).inspect(|slab| os::use_slots(slab.base, 1, 2)));
        give(one, 1);
        let others = other.join().unwrap();
        // Of a third kind: no list of hints has it, only the index.
        let last = take(SlabKind(2), 1, 3);
        assert!(others.is_some() != last.is_some(), "one slot, one taker");
        give(two, 1);
    });
}

/// The last release, which retires and unmaps, against an acquire: by the hint, or by the scan and from the kernel anew.
pub fn pool_an_acquired_slot_stays_mapped() {
    for (kind, cached) in [(MINE, 0), (OTHERS, 0), (MINE, 1), (OTHERS, 1)] {
        check(3, 2, move || {
            config::set(0, cached);
            let slab = take(MINE, 1, 1).unwrap();
            let other = thread::spawn(move || {
                let slab = take(kind, 1, 2)?;
                os::use_slots(slab.base, 1, 2);
                Some(slab)
            });
            give(slab, 1);
            let others = other.join().unwrap();
            // One that is retired and not unmapped yet is nobody's: then the kernel, who has just this one, has none.
            assert!(others.is_some() || cached == 0, "a slot was free all the time");
            others.into_iter().for_each(|slab| give(slab, 2));
            assert_eq!(os::mapped() == 0, cached == 0, "the last to leave retires it");
            let _ = take(SlabKind(2), 2, 3).expect("and it can be had again, whole");
        });
    }
}

/// A taker whose first hint names a slot that a run grows into: it takes the next, and nobody takes it from the run.
pub fn pool_a_hint_serves_one() {
    check(3, 4, || {
        config::set(0, 0);
        let mut run = take(OTHERS, 2, 1).unwrap();
        let (behind, last) = (take(MINE, 1, 1).unwrap(), take(MINE, 1, 1).unwrap());
        give(last, 1);
        give(behind, 1);
        let other = thread::spawn(|| take(MINE, 1, 2).inspect(|slab| os::use_slots(slab.base, 1, 2)));
        acquire_more(&mut run, 1);
        os::use_slots(run.base, run.granules(), 1);
        let others = other.join().unwrap().expect("two were free, one is taken");
        os::use_slots(run.base, run.granules(), 1);
        os::use_slots(others.base, 1, 2);
    });
}

/// A purge of EMPTY slots while somebody takes one of them.
pub fn pool_a_purge_holds_what_it_purges() {
    check(3, 2, || {
        config::set(0, 0);
        let (keep, slab) = (take(OTHERS, 1, 1).unwrap(), take(MINE, 1, 1).unwrap());
        give(slab, 1);
        let other = thread::spawn(|| take(MINE, 1, 2).inspect(|slab| os::use_slots(slab.base, 1, 2)));
        purge(usize::MAX);
        let others = other.join().unwrap();
        let last = if others.is_none() { take(SlabKind(2), 1, 3) } else { None };
        assert!(others.is_some() || last.is_some(), "purging loses no slot");
        os::use_slots(keep.base, 1, 1);
    });
}

/// Two releases at once: both slots are found again, by their hints.
pub fn pool_hints_of_two_releases_are_not_lost() {
    check(3, 4, || {
        config::set(0, 0);
        let keep = take(OTHERS, 2, 1).unwrap();
        // Touches the node counters, and leaves no spare node: the hint stays where nobody looks.
        give(take(SlabKind(3), 1, 1).unwrap(), 1);
        let (one, two) = (take(MINE, 1, 1).unwrap(), take(MINE, 1, 1).unwrap());
        let other = thread::spawn(move || give(one, 2));
        give(two, 1);
        other.join().unwrap();
        let (one, two) = (take(MINE, 1, 1).unwrap(), take(MINE, 1, 1).unwrap());
        assert!(one.base != two.base && acquire_slab(MINE, 1).is_none());
        os::use_slots(keep.base, 2, 1);
    });
}
