//! What the box holds, in numbers.
#![forbid(unsafe_code)]

use super::counts::{CLOSED_BYTES, MAPPED_BYTES, PURGED_BYTES, RUN_BYTES, RUNS, dirty_bytes};
use crate::stats::level::IN_USE;

/// Figures of this box.
pub(crate) struct Snapshot {
    pub(crate) live_blocks: u64,
    pub(crate) live_bytes: u64,
    /// Own mappings, cached ones included; runs are the pool's.
    pub(crate) mapped_bytes: u64,
    pub(crate) cached_bytes: u64,
    pub(crate) purged_bytes: u64,
}

pub(crate) fn snapshot() -> Snapshot {
    Snapshot {
        live_blocks: IN_USE.mappings() + RUNS.get(),
        live_bytes: (IN_USE.mapped_bytes() + RUN_BYTES.get()).saturating_sub(CLOSED_BYTES.get()),
        mapped_bytes: MAPPED_BYTES.get(),
        cached_bytes: dirty_bytes(),
        purged_bytes: PURGED_BYTES.get(),
    }
}
