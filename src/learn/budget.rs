//! How many bytes magazines may have room for: one budget for the process, shared by need.
//!
//! A thread may have as much as is left (`level`), so what threads get falls as more of them ask: n threads that
//! all want more end at 1/(n+1) of the budget each, and a part of it is always left for who comes next. That is the
//! dynamic threshold of shared switch buffers (Choudhury and Hahne, 1998).
#![forbid(unsafe_code)]

use core::cell::Cell;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::policy::is_on;

/// Bytes of the blocks that all magazines together have room for; what each class may always have comes on top.
const PROCESS: usize = 24 << 20;
/// Entries that a magazine may always have, as long as their blocks come to no more than `SMALL_BYTES`.
const SMALL: usize = 7;
const SMALL_BYTES: usize = 2 << 10;

/// Bytes that were granted.
static GRANTED: AtomicUsize = AtomicUsize::new(0);

/// Bytes by which a thread takes from the budget while more than half of it is left: threads that live for a thousand
/// operations would else meet at `GRANTED` for each magazine that grows. Measured: 6 % of bench_c/larson with 2 threads.
const CHUNK: usize = 32 << 10;

/// What one thread was granted.
///
/// # Invariants
/// - P1: `held <= charged`, and `GRANTED` counts `charged`.
pub(crate) struct Purse {
    held: Cell<usize>,
    charged: Cell<usize>,
}

/// Whether more than a quarter of the budget is out.
pub(crate) fn is_tight() -> bool {
    // Relaxed: as in `Purse::ask`.
    GRANTED.load(Ordering::Relaxed) > PROCESS / 4
}

/// Bytes that one thread may have when `granted` are out.
fn level(granted: usize) -> usize {
    PROCESS.saturating_sub(granted)
}

/// The capacity a magazine of `size`-byte blocks gets that has `old` entries and asks for `new`, when its thread holds
/// `held` of `granted` bytes: `new`, or half of it until it fits, or what every magazine may have, or `old`.
fn grant(old: usize, new: usize, size: usize, held: usize, granted: usize) -> usize {
    let small = SMALL.min(SMALL_BYTES / size.max(1));
    let level = level(granted);
    let mut entries = new;
    while entries > old.max(small) {
        if held + (entries - old) * size <= level {
            return entries;
        }
        entries /= 2;
    }
    old.max(small.min(new))
}

impl Purse {
    /// Asks for room for `new` entries of `size` bytes instead of `old`; says how many it may be, `old` at least.
    pub(crate) fn ask(&self, old: usize, new: usize, size: usize) -> usize {
        // Relaxed, here and below: a count; two threads that ask at once may pass the level by what one of them asks for.
        let granted = GRANTED.load(Ordering::Relaxed);
        let entries = if is_on() { grant(old, new, size, self.held.get(), granted) } else { new };
        let held = self.held.get() + (entries - old) * size;
        let missing = held.saturating_sub(self.charged.get());
        if missing > 0 {
            let more = if granted < PROCESS / 2 { missing.next_multiple_of(CHUNK) } else { missing };
            // In this order: a fork in between may lose room, but never give back what was not taken.
            GRANTED.fetch_add(more, Ordering::Relaxed);
            self.charged.set(self.charged.get() + more);
        }
        self.held.set(held);
        entries
    }

    /// Bytes it holds.
    pub(crate) fn held(&self) -> usize {
        self.held.get()
    }

    /// Gives room for `bytes` back.
    pub(crate) fn give(&self, bytes: usize) {
        let held = self.held.get().saturating_sub(bytes);
        self.held.set(held);
        if self.charged.get() - held >= 2 * CHUNK {
            self.return_to(held);
        }
    }

    pub(crate) fn give_all(&self) {
        self.held.set(0);
        self.return_to(0);
    }

    /// Whether the thread holds more than it could get now.
    pub(crate) fn is_over(&self) -> bool {
        self.held.get() > level(GRANTED.load(Ordering::Relaxed))
    }

    fn return_to(&self, charged: usize) {
        let surplus = self.charged.replace(charged).saturating_sub(charged);
        GRANTED.fetch_sub(surplus, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Threads that all ask for more until nobody gets any.
    fn settle(threads: usize, size: usize) -> std::vec::Vec<usize> {
        let mut held = std::vec![0usize; threads];
        loop {
            let mut moved = false;
            for thread in 0..threads {
                let (granted, old) = (held.iter().sum::<usize>(), held[thread] / size);
                let new = grant(old, 2 * old + 1, size, held[thread], granted);
                moved |= new > old;
                held[thread] = new * size;
            }
            if !moved {
                return held;
            }
        }
    }

    #[test]
    fn one_thread_gets_much_and_a_thousand_stay_small() {
        assert!(settle(1, 64)[0] >= PROCESS / 4);
        let held = settle(1000, 64);
        assert!(held.iter().sum::<usize>() <= PROCESS + 1000 * SMALL * 64);
        assert!(held.iter().all(|held| *held < 64 << 10), "{}", held[0]);
        // Who comes last is not starved by who came first.
        assert!(held.iter().max().unwrap() <= &(4 * held.iter().min().unwrap()));
    }

    proptest! {
        #[test]
        fn never_beyond_the_budget_and_never_less_than_before(
            old in 0usize..2048, more in 0usize..2048, size in 16usize..65_536, held in 0usize..PROCESS, others in 0usize..2 * PROCESS,
        ) {
            let entries = grant(old, old + more, size, held, held + others);
            prop_assert!(entries >= old && entries <= (old + more).max(old));
            let small = SMALL.min(SMALL_BYTES / size);
            prop_assert!(entries <= old.max(small) || held + (entries - old) * size + held + others <= PROCESS);
        }
    }
}
