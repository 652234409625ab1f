//! Large blocks that wait at a seat.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use super::record::Large;
use super::warm::{self, Freed};
use super::{KEPT, Range};
use crate::base::addr::{Addr, GRANULE};
use crate::base::sync::{AtomicU32, Ordering};
use crate::meta::{self, Spare};
use crate::models::check;
use crate::page_map::{self, Tag, enter, enter_left};
use crate::stats::level::IN_USE;

const AT: Addr = Addr(0x70 << 32);
const SEAT: usize = 0;

/// Two blocks of a granule, one in use at first, or both.
struct Blocks([UnsafeCell<u32>; 2]);

impl Blocks {
    /// What is there before the threads are (see base/sync.rs): the places of the seat, the words of the page map.
    fn new(count: usize) -> Arc<Blocks> {
        assert!(warm::take(SEAT, 1).is_none());
        for index in 0..count {
            let record = meta::alloc(size_of::<Large>()).unwrap();
            // SAFETY: a record of at least this size, ours alone.
            unsafe { record.as_ptr::<Large>().write(Large { base: at(index), bytes: GRANULE, waits: true }) };
            assert!(enter(at(index), 1, Tag::LARGE, record));
            IN_USE.add_mapping(GRANULE);
        }
        Arc::new(Blocks([const { 0 }; 2].map(UnsafeCell::new)))
    }

    /// Writes to a block, as only its holder may.
    fn own(&self, index: usize) {
        // SAFETY: loom checks that nobody else is in the cell.
        self.0[index].with_mut(|uses| unsafe { *uses += 1 });
    }

    fn free(&self, index: usize) -> bool {
        self.own(index);
        free(index)
    }

    fn alloc(&self) -> Option<usize> {
        let index = warm::take(SEAT, 1)?.since(AT) / GRANULE;
        assert!(page_map::tag(at(index)) == Tag::LARGE, "handed out as it waits");
        self.own(index);
        Some(index)
    }
}

fn at(index: usize) -> Addr {
    AT.offset(index * GRANULE)
}

/// As `front` does it. `false`: not a block in use.
fn free(index: usize) -> bool {
    match warm::free(at(index), SEAT) {
        None => return false,
        Some(Freed::Waits) => {}
        Some(Freed::Homeless(range)) => warm::into_cache(range),
    }
    true
}

/// One frees a block, and both want one: who has it finds it as the last holder left it, and can free it again.
pub fn warm_a_block_has_one_holder() {
    check(2, 0, || {
        let blocks = Blocks::new(1);
        let use_one = |blocks: &Blocks| blocks.alloc().is_none_or(|index| blocks.free(index));
        let other = {
            let blocks = blocks.clone();
            thread::spawn(move || assert!(use_one(&blocks)))
        };
        assert!(blocks.free(0) && use_one(&blocks));
        other.join().unwrap();
        assert!(blocks.alloc() == Some(0) && blocks.alloc().is_none());
    });
}

/// The program frees a block from two threads at once: one is told that it is no block in use.
pub fn warm_of_two_frees_one_leaves_the_block() {
    check(3, 0, || {
        let blocks = Blocks::new(1);
        let other = thread::spawn(|| free(0));
        let mine = free(0);
        assert!(other.join().unwrap() != mine);
        assert!(blocks.alloc() == Some(0) && blocks.alloc().is_none(), "it waits twice");
    });
}

/// Two free a block each where both saw the same free place: what finds none goes into the cache, and is no longer a block.
pub fn warm_blocks_are_not_lost() {
    check(2, 0, || {
        let blocks = Blocks::new(2);
        let other = {
            let blocks = blocks.clone();
            thread::spawn(move || assert!(blocks.free(1)))
        };
        assert!(blocks.free(0));
        other.join().unwrap();
        assert!(KEPT.with_borrow(|kept| kept.iter().all(|range| page_map::tag(range.base) == Tag::LEFT)));
        let waits = [blocks.alloc(), blocks.alloc()].into_iter().flatten().count();
        assert!(waits + KEPT.with_borrow(Vec::len) == 2);
    });
}

/// The program frees a block once more after another thread got it, and nothing orders the two: who gets it then still comes after all
/// that its first holder wrote.
pub fn warm_a_claim_sees_what_came_before_the_renewal() {
    check(2, 0, || {
        static TAKEN: AtomicU32 = AtomicU32::new(0);
        assert!(TAKEN.load(Ordering::Relaxed) == 0);
        let blocks = Blocks::new(1);
        let taker = thread::spawn(|| {
            if warm::take(SEAT, 1).is_some() {
                TAKEN.store(1, Ordering::Relaxed);
            }
        });
        let wrong = {
            let blocks = blocks.clone();
            thread::spawn(move || {
                // Relaxed: what comes after it is ordered by the claim, or by nothing.
                if TAKEN.load(Ordering::Relaxed) == 1 && free(0) {
                    assert!(blocks.alloc() == Some(0));
                }
            })
        };
        assert!(blocks.free(0));
        taker.join().unwrap();
        wrong.join().unwrap();
    });
}

/// The program frees a block once more after it went into the cache and another was made there, and nothing orders the two: as above.
pub fn warm_a_claim_sees_what_came_before_a_new_entry() {
    check(2, 0, || {
        let blocks = Blocks::new(1);
        let wrong = {
            let blocks = blocks.clone();
            thread::spawn(move || free(0).then(|| blocks.own(0)).is_some())
        };
        let mine = free(0);
        if mine {
            warm::drain(&mut Spare, |_| ());
            assert!(KEPT.take().as_slice() == [Range { base: at(0), bytes: GRANULE }]);
            blocks.own(0);
            let record = meta::alloc(size_of::<Large>()).unwrap();
            // SAFETY: a record of at least this size, ours alone.
            unsafe { record.as_ptr::<Large>().write(Large { base: at(0), bytes: GRANULE, waits: true }) };
            IN_USE.add_mapping(GRANULE);
            assert!(enter_left(at(0), Tag::LARGE, record));
        }
        let wrong = wrong.join().unwrap();
        assert!(mine || wrong);
        assert!(!mine || wrong || free(0), "entered anew, it is no block");
    });
}
