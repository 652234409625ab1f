//! What this box goes by: how much is idle, how long it may stay, and what was done so far.
#![forbid(unsafe_code)]

use core::sync::atomic::AtomicU64;

use crate::config;
use crate::heap;
use crate::large;
use crate::stats::counter::Counter;
use crate::superslab;

/// What this box did so far.
pub(crate) struct Counts {
    /// Times that the bound on dirty memory was passed.
    pub(crate) bound: Counter,
    /// Times that a decay time was over.
    pub(crate) decay: Counter,
    /// Times that all was given back: asked for, above a limit, under pressure, or before a request failed.
    pub(crate) all: Counter,
    /// Bytes that went by themselves and that the program took anew soon after.
    pub(crate) missed_bytes: Counter,
}

pub(crate) static COUNTS: Counts =
    Counts { bound: Counter::new(), decay: Counter::new(), all: Counter::new(), missed_bytes: Counter::new() };

/// Milliseconds that idle memory stays; 0: none does; negative: for ever. Asked each time, so it may change.
pub(super) fn period() -> i64 {
    config::get::decay_ms()
}

/// Bytes that are free and resident, by who holds them.
#[derive(Clone, Copy)]
pub(super) struct Dirty {
    pub(super) pool: u64,
    pub(super) large: u64,
    pub(super) spans: u64,
}

impl Dirty {
    pub(super) fn now() -> Dirty {
        Dirty { pool: superslab::dirty_bytes(), large: large::dirty_bytes(), spans: heap::dirty_bytes() }
    }

    pub(super) fn total(self) -> u64 {
        self.pool + self.large + self.spans
    }
}

/// Idle memory of a source that is not worth keeping.
pub(super) const REST: u64 = 1 << 20;

/// Bytes of large blocks that were free, in use by nobody, when `after_free` last found all in order.
pub(super) static SETTLED: AtomicU64 = AtomicU64::new(0);

/// The choices of `HAKMEM_PRESSURE`, by their place in its table.
pub(super) const PRESSURE_ALWAYS: i64 = 1;
pub(super) const PRESSURE_NEVER: i64 = 2;
