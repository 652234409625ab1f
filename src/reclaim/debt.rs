//! What a turn of decay found to go, on its way in steps: the calls that come by pay one each, so that none waits for all of it, however large
//! the heap is. What is left when the next turn comes is paid at once: then there are hardly any calls.
//!
//! In this order: the pool's share, the large cache's, the spans of each heap from which nothing was taken of late, and what is idle beyond the
//! contract's allowance and still missing then.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicBool, Ordering};

use super::figures::Dirty;
use super::give::shed;
use super::{bound, regret};
use crate::heap::{self, Heap};
use crate::large;
use crate::os::{self, lock::Mutex};
use crate::superslab;

/// Bytes of a step: 256 pages, some tens of microseconds.
const STEP: usize = 1 << 20;
/// Heaps that a step looks at, while they have nothing to give.
const HEAPS: usize = 8;

struct Debt {
    pool: usize,
    large: usize,
    /// The heap whose turn it is, and whether its sweep has begun.
    heap: Option<&'static Heap>,
    begun: bool,
    excess: usize,
    given: usize,
}

/// Only tried, before all other locks.
static DEBT: Mutex<Debt> = Mutex::new(Debt { pool: 0, large: 0, heap: None, begun: false, excess: 0, given: 0 });
/// Whether there is any. Relaxed, in all of this file: hints and figures; the lock publishes.
static OWED: AtomicBool = AtomicBool::new(false);

/// Adds what a turn found.
pub(super) fn owe(pool: usize, large: usize, excess: usize) {
    let Some(mut debt) = DEBT.try_lock() else { return };
    *debt = Debt { pool, large, heap: heap::newest(), begun: false, excess, given: 0 };
    OWED.store(true, Ordering::Relaxed);
}

/// Pays a step, if anything is owed and nobody else is at it. Changes errno.
#[inline]
pub(super) fn pay() {
    if OWED.load(Ordering::Relaxed) {
        pay_some(STEP);
    }
}

/// Pays all, likewise.
pub(super) fn settle() {
    let mut mine = true;
    while mine && OWED.load(Ordering::Relaxed) {
        mine = pay_some(usize::MAX);
    }
}

/// Forgets it, in a child of fork, where who was at it may be gone.
pub(super) fn forget() {
    os::lock::free_in_child(&DEBT);
}

/// `false`: somebody else is at it.
#[cold]
#[inline(never)]
fn pay_some(most: usize) -> bool {
    let Some(mut debt) = DEBT.try_lock() else { return false };
    let debt = &mut *debt;
    if bound::is_kept(Dirty::now()) {
        // Others gave so much back meanwhile that what is left is to stay.
        OWED.store(false, Ordering::Relaxed);
    } else if debt.pool > 0 {
        let given = superslab::purge(most.min(debt.pool));
        debt.pool = debt.share_paid(given, debt.pool);
    } else if debt.large > 0 {
        let given = large::purge(most.min(debt.large));
        debt.large = debt.share_paid(given, debt.large);
    } else if debt.heap.is_some() {
        debt.sweep(most == usize::MAX);
    } else {
        let want = most.min(debt.excess.saturating_sub(debt.given));
        let given = if want > 0 { shed(want).0 } else { 0 };
        debt.given += given;
        OWED.store(given > 0, Ordering::Relaxed);
    }
    true
}

impl Debt {
    /// Counts what was given of a share, and says what is left of it.
    fn share_paid(&mut self, given: usize, due: usize) -> usize {
        self.given += given;
        regret::gone(given as u64);
        // Nothing: it is gone already, or refused.
        if given > 0 { due.saturating_sub(given) } else { 0 }
    }

    #[inline(never)] // for the stack, see `decay.rs`
    fn sweep(&mut self, all: bool) {
        for _ in 0..if all { usize::MAX } else { HEAPS } {
            let Some(heap) = self.heap else { return };
            let (given, more) = heap.age(!self.begun);
            self.begun = more;
            if !more {
                self.heap = heap.next();
            }
            self.given += given;
            if given > 0 && !all {
                return;
            }
        }
    }
}
