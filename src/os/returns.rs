//! How often memory was given back: calls to the kernel, each of which interrupts every processor that runs the process, and the
//! ranges of pages in them.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

static CALLS: AtomicU64 = AtomicU64::new(0);
static RANGES: AtomicU64 = AtomicU64::new(0);

/// Calls so far, and ranges. Any thread.
pub(crate) fn returns() -> (u64, u64) {
    // Relaxed, here and below: statistics order nothing.
    (CALLS.load(Ordering::Relaxed), RANGES.load(Ordering::Relaxed))
}

pub(super) fn count(calls: u64, ranges: u64) {
    CALLS.fetch_add(calls, Ordering::Relaxed);
    RANGES.fetch_add(ranges, Ordering::Relaxed);
}
