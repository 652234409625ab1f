//! The most that was in use of late, in the quarter of a decay time that runs and in the one before. A program that frees all it has and starts over may keep
//! so much, once it earned it: that makes no process larger than it just was, but where what comes next can't use it (slots, and mappings of large blocks).
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use crate::large;
use crate::superslab;

// Relaxed, in all of this file: figures that guide a policy and publish nothing; a lost update shifts it a little.
static RUNNING: AtomicU64 = AtomicU64::new(0);
static BEFORE: AtomicU64 = AtomicU64::new(0);

/// What blocks hold, and spans have for them.
fn in_use() -> u64 {
    superslab::active_bytes() + large::active_bytes()
}

/// Called by slow paths that allocate, before they take anything: what is in use may be at its highest, for they come in turn with those that free.
#[inline]
pub(super) fn note() {
    let now = in_use();
    // Mostly it is not higher: no store, and the line stays shared.
    if now > RUNNING.load(Ordering::Relaxed) {
        RUNNING.store(now, Ordering::Relaxed);
    }
}

/// Bytes.
pub(super) fn recent() -> u64 {
    RUNNING.load(Ordering::Relaxed).max(BEFORE.load(Ordering::Relaxed))
}

/// Begins a new quarter. After a long one, what was before is long ago.
pub(super) fn turn(quarters: u64) {
    let now = in_use();
    let ended = RUNNING.swap(now, Ordering::Relaxed);
    BEFORE.store(if quarters > 1 { now } else { ended }, Ordering::Relaxed);
}
