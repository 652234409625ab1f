//! What is live of all that was counted, and what the profile lacks.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

/// Estimate of what is live of all that was counted.
static LIVE_BYTES: AtomicU64 = AtomicU64::new(0);

/// What the profile lacks.
pub(crate) struct Lost {
    /// Samples for which `LIVE` had no room: never seen to be freed.
    pub(crate) blocks: AtomicU64,
    /// Samples whose stack is not known: no room for it, or all stacks to unwind on were in use.
    pub(crate) stacks: AtomicU64,
    /// Samples that were not taken: no memory, or another thread forked.
    pub(crate) samples: AtomicU64,
}

pub(crate) static LOST: Lost =
    Lost { blocks: AtomicU64::new(0), stacks: AtomicU64::new(0), samples: AtomicU64::new(0) };

/// Counts `bytes` that came to be live, and says how many are.
pub(super) fn add_live(bytes: u64) -> u64 {
    // Relaxed, here and below: figures.
    LIVE_BYTES.fetch_add(bytes, Ordering::Relaxed) + bytes
}

pub(super) fn sub_live(bytes: u64) {
    LIVE_BYTES.fetch_sub(bytes, Ordering::Relaxed);
}

pub(super) fn live_bytes() -> u64 {
    LIVE_BYTES.load(Ordering::Relaxed)
}
