//! `Mutex`: `lock_api`'s guards over a futex word of our own.
//!
//! Not `parking_lot::RawMutex`: that parks through a global table that allocates from the very heap it would guard,
//! and that a child of `fork` inherits in whatever state the other threads left it.

use parking_lot::lock_api;

use super::futex;
use crate::base::sync::{AtomicU32, LOOKS, Ordering};

pub(crate) type Mutex<T> = lock_api::Mutex<RawMutex, T>;
pub(crate) type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;

/// | word | state                          | leaves by                                        |
/// |------|--------------------------------|--------------------------------------------------|
/// | 0    | free                           | `take` → 1, a woken waiter → 2                   |
/// | 1    | held                           | `give` → 0, a waiter announcing itself → 2       |
/// | 2    | held, somebody may be sleeping | `give` → 0 and wakes one                         |
pub(crate) struct RawMutex(AtomicU32);

const FREE: u32 = 0;
const HELD: u32 = 1;
const CONTENDED: u32 = 2;

// SAFETY: the word admits one holder at a time: only the thread that moved it from FREE owns the lock.
unsafe impl lock_api::RawMutex for RawMutex {
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "what the trait asks for: each use makes a lock of its own"
    )]
    const INIT: RawMutex = RawMutex(AtomicU32::new(FREE));
    type GuardMarker = lock_api::GuardNoSend;

    #[inline]
    fn lock(&self) {
        if !self.take() {
            self.lock_slow();
        }
    }

    #[inline]
    fn try_lock(&self) -> bool {
        self.take()
    }

    #[inline]
    unsafe fn unlock(&self) {
        self.give();
    }

    fn is_locked(&self) -> bool {
        // Relaxed: a snapshot.
        self.0.load(Ordering::Relaxed) != FREE
    }
}

impl RawMutex {
    #[inline]
    fn take(&self) -> bool {
        // Acquire pairs with the Release in `give`: what the last holder wrote is visible.
        // Relaxed on failure: nothing is entered.
        self.0.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[inline]
    fn give(&self) {
        // Release pairs with the Acquire in `take` and `lock_slow`.
        if self.0.swap(FREE, Ordering::Release) == CONTENDED {
            futex::wake(&self.0, 1);
        }
    }

    #[cold]
    fn lock_slow(&self) {
        for _ in 0..LOOKS {
            core::hint::spin_loop();
            // Relaxed: only a hint that `take` may succeed.
            if self.0.load(Ordering::Relaxed) == FREE && self.take() {
                return;
            }
        }
        // Acquire pairs with `give`. Whoever waited must leave CONTENDED behind: others may still sleep.
        while self.0.swap(CONTENDED, Ordering::Acquire) != FREE {
            futex::wait(&self.0, CONTENDED, None);
        }
    }
}

/// Frees a lock that is only ever tried, in a child of fork, where the thread that held it does not exist.
pub(crate) fn free_in_child<T>(mutex: &Mutex<T>) {
    // SAFETY: nobody in this process holds it (caller).
    // Relaxed: there is no other thread.
    unsafe { mutex.raw() }.0.store(FREE, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn increments_under_contention_are_not_lost() {
        static COUNT: Mutex<u64> = Mutex::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        *COUNT.lock() += 1;
                    }
                });
            }
        });
        assert_eq!(*COUNT.lock(), 80_000);
    }
}
