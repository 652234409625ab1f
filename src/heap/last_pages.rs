//! A heap's last two pages, which are touched only where its thread is counted or checked: a second set of bins (`metered.rs`), and what is
//! lent there (`lent.rs`).
#![forbid(unsafe_code)]

use core::cell::Cell;
use core::mem::offset_of;

use super::bin::Bins;
use crate::base::addr::Addr;
use crate::class::{ClassId, TINY_CLASSES};
use crate::profile::Meter;
use crate::record::Recorder;

/// Bytes before the second bins: the bit that tells their word from all others, which begin a page, or by `light` lie less than this behind.
pub(super) const MARK: usize = 128;
/// The same of who is checked (`HAKMEM_HARDENED=light`): all of the process's threads, from the first one's birth.
pub(super) const CHECK: usize = 256;
/// The same in full (`HAKMEM_HARDENED=1`).
pub(super) const FULL: usize = 512;
pub(super) const MARKS: usize = MARK | CHECK | FULL;

/// A heap's last two pages.
#[repr(C, align(4096))]
pub(super) struct Metered {
    before: [u64; MARK / 8],
    /// At `MARK`, and at `CHECK` and `FULL` too.
    pub(super) bins: Bins,
    behind: [u64; (FULL - MARK) / 8],
    pub(super) meter: Meter,
    pub(super) recorder: Recorder,
    pub(super) lent: Lent,
}

/// Blocks that are lent at once: what a page has room for.
pub(super) const ENTRIES: usize = 24;

/// All zero at first.
#[repr(C, align(4096))]
pub(super) struct Lent {
    arrays: [Cell<[Addr; ENTRIES]>; TINY_CLASSES],
    /// Blocks of a class that pass before its next sampled one, and one more; 0: not drawn.
    left: [Cell<u32>; TINY_CLASSES],
}

impl Lent {
    pub(super) fn left(&self, class: ClassId) -> &Cell<u32> {
        &self.left[class.index() % TINY_CLASSES]
    }

    pub(super) fn array(&self, class: ClassId) -> *mut [Addr; ENTRIES] {
        self.arrays[class.index() % TINY_CLASSES].as_ptr()
    }
}

const _: () = {
    assert!(offset_of!(Metered, bins) == MARK && size_of::<Metered>() == 8192);
    assert!(size_of::<Lent>() == 4096);
};
