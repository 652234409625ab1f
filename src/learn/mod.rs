//! Box `learn` (L2): decides from what slow paths count. Events in, values out; it sees no other box's records.
//!
//! - `depth`: how far the magazine of one class of one heap may grow, from the runs of its refills and flushes.
//! - `budget`: how many bytes all magazines may have room for, and how much of it one thread.
//! - `policy`: what was learned, as values that other boxes read, and as text to start the next process from.
//!
//! Owns: the budget's count, the policy.   Calls: class, stats, config.   Called by: heap, tiny_heap, pool_tls, reclaim, abi.
//! Locks: none.   Threads: any; a `Depth` is its heap's thread's.
//! Never: waits, reads a clock, counts on a hot path. `HAKMEM_LEARN=0`: nothing is learned and no budget holds.
#![forbid(unsafe_code)]

mod budget;
mod depth;
mod policy;

use core::sync::atomic::{AtomicU32, Ordering};

pub(crate) use budget::{Purse, is_tight};
pub(crate) use depth::{Depth, Verdict};
pub(crate) use policy::{DEEP_BYTES, deepen, default_depth, depth_limit, depth_of, is_on, load, print, undeepen};

/// Decay periods so far: what is idle is told by these.
static EPOCH: AtomicU32 = AtomicU32::new(0);

/// The number of the decay period. Any thread.
pub(crate) fn epoch() -> u32 {
    // Relaxed: a number to compare; nothing is published with it.
    EPOCH.load(Ordering::Relaxed)
}

/// Begins a decay period. Any thread that was elected to.
pub(crate) fn next_epoch() {
    // Relaxed: as above.
    EPOCH.fetch_add(1, Ordering::Relaxed);
}
