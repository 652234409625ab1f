//! What a turn of decay found to go, on its way in steps: the calls that come by pay one each, so that none waits for all of it, however large
//! the heap is. What is left when the next turn comes is added to what that finds, and goes in longer steps: then there are few calls.
//!
//! In this order: the pool's share, the large cache's, the spans of each heap from which nothing was taken of late, and what is idle beyond the
//! contract's allowance and still missing then.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicBool, Ordering};

use super::figures::Dirty;
use super::give::{shed_general, shed_large};
use super::{bound, regret};
use crate::heap::{self, Heap};
use crate::large;
use crate::os::{self, lock::Mutex};
use crate::span;
use crate::superslab;

/// Bytes of a step: 256 pages, some tenths of a millisecond where each of them is resident; and of one that comes late.
const STEP: usize = 1 << 20;
const LATE: usize = 16 << 20;
/// Heaps that a step looks at, while they have nothing to give.
const HEAPS: usize = 8;

struct Debt {
    pool: usize,
    large: usize,
    /// The heap whose turn it is, and whether its sweep has begun.
    heap: Option<&'static Heap>,
    begun: bool,
    excess: usize,
    /// The heap that is to give of it next, where the pool and the cache have no more.
    rest: Option<&'static Heap>,
    given: usize,
    /// Whether some of it is from an earlier turn.
    late: bool,
}

/// Only tried, before all other locks.
static DEBT: Mutex<Debt> =
    Mutex::new(Debt { pool: 0, large: 0, heap: None, begun: false, excess: 0, rest: None, given: 0, late: false });
/// Whether there is any. Relaxed, in all of this file: hints and figures; the lock publishes.
static OWED: AtomicBool = AtomicBool::new(false);

/// Adds what a turn found.
pub(super) fn owe(pool: usize, large: usize, excess: usize) {
    let Some(mut debt) = DEBT.try_lock() else { return };
    let late = OWED.load(Ordering::Relaxed);
    if !late {
        (debt.pool, debt.large, debt.heap) = (0, 0, None);
    }
    debt.pool = (debt.pool + pool).min(superslab::dirty_bytes() as usize);
    debt.large = (debt.large + large).min(large::dirty_bytes() as usize);
    // A round that is not over goes on: begun anew each time it would never come to the last ones.
    if debt.heap.is_none() {
        span::forget_holes();
        (debt.heap, debt.begun) = (heap::newest(), false);
    }
    (debt.excess, debt.rest, debt.given, debt.late) = (excess, heap::newest(), 0, late);
    OWED.store(true, Ordering::Relaxed);
}

/// Pays a step, if anything is owed and nobody else is at it. `false`: so it is not. Changes errno.
#[inline]
pub(super) fn pay() -> bool {
    OWED.load(Ordering::Relaxed) && pay_step()
}

/// Forgets it, in a child of fork, where who was at it may be gone.
pub(super) fn forget() {
    os::lock::free_in_child(&DEBT);
}

#[cold]
#[inline(never)]
fn pay_step() -> bool {
    let Some(mut debt) = DEBT.try_lock() else { return false };
    let debt = &mut *debt;
    let most = if debt.late { LATE } else { STEP };
    if bound::is_kept(Dirty::now()) {
        // Others gave so much back meanwhile that what is left is to stay.
        OWED.store(false, Ordering::Relaxed);
    } else if debt.pool > 0 {
        let given = superslab::purge(most.min(debt.pool));
        debt.pool = debt.share_paid(given, debt.pool);
    } else if debt.large > 0 {
        let given = shed_large(most.min(debt.large));
        debt.large = debt.share_paid(given, debt.large);
    } else if debt.heap.is_some() {
        debt.sweep(most);
    } else {
        let more = debt.shed(most);
        OWED.store(more, Ordering::Relaxed);
    }
    true
}

impl Debt {
    fn paid(&mut self, given: usize) {
        self.given += given;
        bound::repay(given as u64);
    }

    /// Counts what was given of a share, and says what is left of it.
    fn share_paid(&mut self, given: usize, due: usize) -> usize {
        self.paid(given);
        regret::gone(given as u64);
        // Nothing: it is gone already, or refused.
        if given > 0 { due.saturating_sub(given) } else { 0 }
    }

    #[inline(never)] // for the stack, see `decay.rs`
    fn sweep(&mut self, most: usize) {
        let mut sum = 0;
        for _ in 0..HEAPS {
            let Some(heap) = self.heap else { return };
            let (given, more) = heap.age(!self.begun, most - sum);
            self.begun = more;
            if !more {
                self.heap = heap.next();
            }
            self.paid(given);
            sum += given;
            if given > 0 && (!self.late || sum >= most) {
                return;
            }
        }
    }

    /// Gives some of the excess back that is still missing. `false`: there is none, or nobody has any.
    #[inline(never)] // likewise
    fn shed(&mut self, most: usize) -> bool {
        let want = most.min(self.excess.saturating_sub(self.given));
        if want == 0 {
            return false;
        }
        let mut given = shed_general(want);
        for _ in 0..HEAPS {
            let Some(heap) = self.rest.filter(|_| given < want) else { break };
            let went = heap.purge(want - given);
            given += went;
            if went == 0 {
                self.rest = heap.next();
            }
        }
        self.paid(given);
        given > 0 || self.rest.is_some()
    }
}
