//! Regret: what went too early. One measure for all of this box: of the bytes that went by themselves, those that the program soon took anew.
//!
//! For a byte that was missed `EARN` bytes more may lie idle: of what a small process may keep (`idle`), beyond the bound (`bound`, up to a
//! limit), and of what decay finds (`decay`). Half of it is forgotten each decay time, and so is half of what went and was not missed yet: what is
//! taken anew later is no sign that it went too early. So memory that comes and goes within four decay times stays, once it was missed.
//!
//! What the contract takes, what was asked for and what a limit or want of memory takes is never missed: it goes again, whatever it costs.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use super::figures::COUNTS;
use super::peak;
use crate::large;
use crate::os::lock::{Mutex, free_in_child};
use crate::superslab;

/// Bytes earned for a byte missed. With blocks of 64 KiB to 4 MiB, 64 live (bench_c/bench_large 20000 64 1), 1: 76,000 to 90,000 faults; 4: 65,000
/// to 69,000; 16: 60,000; no purge at all: 54,000.
const EARN: u64 = 16;

/// Bytes earned. Relaxed, throughout: a figure that guides a policy and publishes nothing. Written by who has the `LEDGER`.
static EARNED: AtomicU64 = AtomicU64::new(0);

/// Only tried, with no other lock than this box's held: who finds it busy leaves out what he has to say.
static LEDGER: Mutex<Ledger> = Mutex::new(Ledger { gone: 0, fresh: 0, evicted: 0 });

struct Ledger {
    /// Bytes that went and nobody has missed yet.
    gone: u64,
    /// All bytes ever taken without old pages in them, as they were seen last.
    fresh: u64,
    /// All bytes that the pool ever unmapped for want of room, likewise.
    evicted: u64,
}

impl Ledger {
    /// Of the bytes taken fresh since the last look, those that were missed.
    fn look(&mut self, fresh: u64, evicted: u64) -> u64 {
        self.gone += evicted.saturating_sub(self.evicted);
        self.evicted = evicted;
        let missed = fresh.saturating_sub(self.fresh).min(self.gone);
        self.fresh = fresh;
        self.gone -= missed;
        missed
    }
}

/// Bytes that may lie idle beyond what may without having been earned.
#[inline]
pub(super) fn earned() -> u64 {
    EARNED.load(Ordering::Relaxed)
}

/// With the `LEDGER`.
fn set_earned(bytes: u64) {
    EARNED.store(bytes, Ordering::Relaxed);
    superslab::keep(if bytes > 0 { peak::recent() } else { 0 });
}

fn look(ledger: &mut Ledger) {
    let missed = ledger.look(superslab::fresh_bytes() + large::fresh_bytes(), superslab::evicted_bytes());
    if missed > 0 {
        set_earned(earned().saturating_add(EARN.saturating_mul(missed)));
        COUNTS.missed_bytes.add(missed);
    }
}

/// Turns what went and was taken anew since the last look into what may stay.
pub(super) fn settle() {
    if let Some(mut ledger) = LEDGER.try_lock() {
        look(&mut ledger);
    }
}

/// Notes that `bytes` went which any class could have used.
pub(super) fn gone(bytes: u64) {
    if let Some(mut ledger) = LEDGER.try_lock() {
        // What was taken before is not taken anew.
        look(&mut ledger);
        ledger.gone += bytes;
    }
}

/// Forgets what was earned and not used: `most` at most was, and of that `unused` bytes lay idle.
pub(super) fn forget(most: u64, unused: u64) {
    if LEDGER.try_lock().is_some() {
        set_earned(earned().min(most).saturating_sub(unused));
    }
}

/// Forgets all of it, where memory was wanted and there was none: what stays mapped then is what others (threads' stacks, files) can't have.
pub(super) fn forget_all() {
    if let Some(mut ledger) = LEDGER.try_lock() {
        look(&mut ledger);
        ledger.gone = 0;
        set_earned(0);
    }
}

/// Once a decay time.
pub(super) fn age() {
    if let Some(mut ledger) = LEDGER.try_lock() {
        look(&mut ledger);
        ledger.gone /= 2;
        set_earned(earned() / 2);
    }
}

/// In a child of fork, where who had the ledger may be gone.
pub(super) fn begin_in_child() {
    free_in_child(&LEDGER);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_anew_is_missed_as_far_as_it_had_gone() {
        let mut ledger = Ledger { gone: 0, fresh: 0, evicted: 0 };
        assert_eq!(ledger.look(100, 0), 0, "growth");
        ledger.gone += 50;
        assert_eq!(ledger.look(130, 0), 30);
        assert_eq!(ledger.look(130, 0), 0, "once");
        assert_eq!(ledger.look(500, 0), 20, "no more than had gone");
        assert_eq!(ledger.look(900, 0), 0);
        assert_eq!(ledger.look(900, 70), 0);
        assert_eq!(ledger.look(1000, 70), 70, "what the pool unmapped had gone, too");
    }
}
