//! How much a heap has in use, and how that went up and down since it last let go of what it kept (`ebb.rs`).
#![forbid(unsafe_code)]

use crate::superslab;

/// What a heap did since the last ebb. Under its lock; zeroes are a valid value.
///
/// # Invariants
/// - T1: `used` is the bytes of blocks that are not free in the heap's spans.
#[derive(Clone, Copy)]
pub(super) struct Tide {
    pub(super) used: usize,
    /// The most that it was.
    pub(super) peak: usize,
    /// Slabs that it acquired, and those that all had ever acquired when it began.
    pub(super) acquired: u32,
    all: u64,
    /// Slabs that others acquired in the tide before.
    pub(super) before: u64,
}

impl Tide {
    pub(super) fn take(&mut self, bytes: usize) {
        self.used += bytes;
        self.peak = self.peak.max(self.used);
    }

    pub(super) fn give(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
    }

    pub(super) fn note_acquired(&mut self) {
        self.acquired += 1;
    }

    /// Slabs that other heaps acquired.
    pub(super) fn others(&self) -> u64 {
        superslab::acquired().saturating_sub(self.all + self.acquired as u64)
    }

    pub(super) fn turn(&mut self) {
        let before = self.others();
        *self = Tide { used: self.used, peak: self.used, acquired: 0, all: superslab::acquired(), before };
    }
}
