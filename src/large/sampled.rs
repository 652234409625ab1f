//! Which large blocks the profiler knows: a mark in their records.

use super::record::find;
use crate::base::addr::Addr;

/// Notes that the profiler knows the block at `at`, which the caller has just made. Its free is then the slow one.
pub(crate) fn mark_sampled(at: Addr) {
    let Some(mut record) = find(at) else { return };
    // SAFETY: the caller holds the block, and nobody else its record.
    let large = unsafe { record.as_mut() };
    (large.sampled, large.waits) = (true, false);
}

/// Whether the profiler knows the block at `at`, which the caller holds; from now on it does not.
pub(crate) fn take_sampled(at: Addr) -> bool {
    let Some(record) = find(at) else { return false };
    // SAFETY: a record is never unmapped; that of a block that is freed twice at once may be another's by now, which then is lost to
    // the profiler and nothing else.
    let sampled = unsafe { &mut (*record.as_ptr()).sampled };
    core::mem::take(sampled)
}
