//! `Door`: a place in another thread's memory that may be written to until that thread closes it, which it does before the memory goes.
#![forbid(unsafe_code)]

use super::sync::{AtomicUsize, Ordering};

/// | word      | meaning                     | leaves by                               |
/// |-----------|-----------------------------|-----------------------------------------|
/// | 0         | closed                      | `open` → place                          |
/// | place     | open; the place is even     | `visit` → place \| 1, `close` → 0       |
/// | place \| 1 | somebody is at the place    | the end of the visit → place            |
pub(crate) struct Door(AtomicUsize);

const BUSY: usize = 1;

impl Door {
    pub(crate) const fn closed() -> Door {
        Door(AtomicUsize::new(0))
    }

    /// The place's thread only, whose door is closed.
    pub(crate) fn open(&self, place: usize) {
        debug_assert!(place & BUSY == 0);
        // Release pairs with the Acquire in `visit`: what the thread has put there is there.
        self.0.store(place, Ordering::Release);
    }

    /// Runs `write` with the place, which stays while that runs; not where the door is closed or another is there.
    pub(crate) fn visit(&self, write: impl FnOnce(usize)) {
        // Relaxed: only compared.
        let place = self.0.load(Ordering::Relaxed);
        if place == 0 || place & BUSY != 0 {
            return;
        }
        // Acquire pairs with the Releases of `open` and of the last visit.
        if self.0.compare_exchange(place, place | BUSY, Ordering::Acquire, Ordering::Relaxed).is_ok() {
            write(place);
            // Release pairs with the Acquire in `close`, and with that above.
            self.0.store(place, Ordering::Release);
        }
    }

    /// Lets nobody come any more, and waits by `rest` for who is there. The place's thread.
    pub(crate) fn close(&self, mut rest: impl FnMut()) {
        loop {
            // Relaxed: only compared.
            let place = self.0.load(Ordering::Relaxed) & !BUSY;
            // Acquire pairs with the Release at the end of a visit: what was written there was written before.
            if place == 0 || self.0.compare_exchange(place, 0, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                return;
            }
            rest();
        }
    }

    /// Closes it for a thread that is gone, in a child of fork: nobody else is there.
    pub(crate) fn forget(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}
