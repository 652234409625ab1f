//! What is mapped for large blocks, of whichever kind, in numbers. Mappings are counted as they come and go; what is in use of them is `IN_USE`.
#![forbid(unsafe_code)]

use crate::stats::counter::Counter;
use crate::stats::level::{self, IN_USE};

/// Blocks that are runs of slots, and their bytes. Those with mappings of their own are counted by `IN_USE`.
pub(super) static RUNS: Counter = Counter::new();
pub(super) static RUN_BYTES: Counter = Counter::new();
/// Own mappings, those that nobody uses included: they wait for the next block (C2).
pub(super) static MAPPED_BYTES: Counter = Counter::new();
/// Of mappings in use, what is no block's: pages that are closed, and those that could not be unmapped.
pub(crate) static CLOSED_BYTES: Counter = Counter::new();
/// Bytes mapped anew so far.
pub(crate) static FRESH_BYTES: Counter = Counter::new();
/// Bytes of mappings that waited and went back to the kernel, so far.
pub(crate) static PURGED_BYTES: Counter = Counter::new();

/// Counts a new mapping, which is in use.
pub(crate) fn fresh(bytes: usize) {
    grown(bytes);
    IN_USE.add_mapping(bytes);
}

/// Counts the end of one.
pub(crate) fn gone(bytes: usize) {
    IN_USE.sub_mapping(bytes);
    shrunk(bytes);
}

/// Counts what became of one in use.
pub(crate) fn resized(old: usize, bytes: usize) {
    if bytes >= old {
        grown(bytes - old);
    } else {
        shrunk(old - bytes);
    }
    IN_USE.resize_mapping(old, bytes);
}

pub(super) fn grown(bytes: usize) {
    MAPPED_BYTES.add(bytes as u64);
    level::MAPPED.add(bytes as u64);
}

/// Counts the end of one that was not in use.
pub(crate) fn shrunk(bytes: usize) {
    MAPPED_BYTES.sub(bytes as u64);
    level::MAPPED.sub(bytes as u64);
}

/// Counts bytes that nobody will use again.
pub(super) fn lose(bytes: usize) {
    CLOSED_BYTES.add(bytes as u64);
    IN_USE.resize_mapping(0, bytes);
}

/// Bytes that could go back to the kernel. Any thread.
pub(crate) fn dirty_bytes() -> u64 {
    MAPPED_BYTES.get().saturating_sub(active_bytes())
}

/// Whether those are more than `bytes`.
#[inline]
pub(crate) fn is_dirtier_than(bytes: u64) -> bool {
    MAPPED_BYTES.get() > active_bytes() + bytes
}

/// Bytes of blocks that got a new mapping, so far. Any thread.
pub(crate) fn fresh_bytes() -> u64 {
    FRESH_BYTES.get()
}

/// Bytes of own mappings, those in use and those that nobody uses. Any thread.
pub(crate) fn mapped_bytes() -> u64 {
    MAPPED_BYTES.get()
}

/// Bytes of blocks in use that are no runs of slots. Any thread.
pub(crate) fn active_bytes() -> u64 {
    IN_USE.mapped_bytes()
}
