//! A small process stays small: how much the pool and the cache of large ranges may hold idle before the program has
//! shown that it wants it back. Far below the bound of `bound`, which is the contract; this one is earned.
//!
//! - What is idle beyond a sixteenth of what is live (1 MiB at least) goes back.
//! - What the program earned (`regret`) stays: a working set that comes and goes costs two or three rounds.
//! - Growth up to 64 MiB is paid with idle memory: where a class takes fresh memory that would make the process larger than
//!   it ever was, what is idle in another shape goes first. All that a process pays comes to as much at most. Large blocks do
//!   not pay: what they leave idle often fits the next one (bench_c/bench_large: 134,000 faults instead of 76,000).
//!
//! Measured over python, redis, sqlite, gcc, lua and git: peak RSS 1.02 times glibc's, 1.08 without.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use super::bound;
use super::give::{TURN, shed_large};
use super::regret;
use crate::config;
use crate::large;
use crate::superslab;

const MIN_IDLE: u64 = 1 << 20;
const LIVE_PART: u64 = 16;
/// A process of so many bytes does not pay for its growth. 734 MiB went in 2,400 calls while one thread took 700 MiB and another had blocks up to 1 MiB
/// come and go, a third of them made by that one, for whose next blocks they then were missing.
const SMALL: u64 = 64 << 20;

/// Bytes that could not be given back (a refused `madvise`): not tried again soon.
static FUTILE: AtomicU64 = AtomicU64::new(0);
/// The most that may be held, in use and idle together, without payment.
static CEILING: AtomicU64 = AtomicU64::new(0);

// Relaxed, throughout: figures that guide a policy and publish nothing; a lost update shifts it a little.

fn idle() -> u64 {
    superslab::dirty_bytes() + large::dirty_bytes()
}

fn live() -> u64 {
    superslab::active_bytes() + large::active_bytes()
}

fn allowed() -> u64 {
    MIN_IDLE.max(live() / LIVE_PART) + regret::earned() + FUTILE.load(Ordering::Relaxed) + bound::lent()
}

/// Called at the end of a slow path that freed, with no lock held: mostly some loads and a compare.
pub(super) fn after_free() {
    if idle() > allowed() {
        over();
    }
}

#[cold]
fn over() {
    let Some(_turn) = TURN.try_lock() else { return };
    // So much is there: to be as large again later is no growth. Without it a program whose large blocks made it large pays for each
    // round of its small ones: what `realloc` moves about is faulted in 19,000 times instead of 12,000 (bench_c/bench_realloc 15 8).
    CEILING.fetch_max(live() + idle(), Ordering::Relaxed);
    regret::settle();
    let excess = idle().saturating_sub(allowed());
    let given = give(excess);
    regret::gone(given);
    FUTILE.fetch_add(excess.saturating_sub(given), Ordering::Relaxed);
}

/// Once a decay time.
pub(super) fn age() {
    FUTILE.store(FUTILE.load(Ordering::Relaxed) / 2, Ordering::Relaxed);
}

/// Called at the end of a slow path that allocated a class's block, with no lock held: mostly some loads and a compare.
pub(super) fn after_class() {
    let total = live() + idle();
    if total > CEILING.load(Ordering::Relaxed) && total < SMALL {
        grown(total);
    }
}

#[cold]
fn grown(total: u64) {
    let due = total.saturating_sub(CEILING.load(Ordering::Relaxed)).min(idle());
    if due == 0 {
        CEILING.fetch_max(total, Ordering::Relaxed);
        return;
    }
    let Some(_turn) = TURN.try_lock() else { return };
    // What can't be given back is not asked for again.
    let refused = due.saturating_sub(give(due));
    CEILING.fetch_max(total + refused, Ordering::Relaxed);
}

/// Gives back `want` bytes, large ranges first: who has those has few of them. Returns the bytes.
fn give(want: u64) -> u64 {
    if want == 0 || config::get::decay_ms() < 0 || config::get::trim_threshold() > 0 {
        return 0;
    }
    let from_cache = shed_large(want.min(large::dirty_bytes()) as usize) as u64;
    let left = want.saturating_sub(from_cache);
    from_cache + superslab::purge(left.min(superslab::dirty_bytes()) as usize) as u64
}
