//! `Dirty`: what a heap's spans hold that could go back to the kernel, and how far the sweep has come that gives it back.
#![forbid(unsafe_code)]

use core::ptr::NonNull;

use super::record::Span;
use crate::meta::Spare;
use crate::region::Region;

/// What a heap's spans may hold dirty, how long ago they were used, and where they are from; under the heap's lock.
///
/// # Invariants
/// - D1: `bytes`, `free` and `gone` are the sums over the heap's spans; 0 where they lie in a region.
/// - D2: all of the heap's spans lie in `region`, if there is one.
#[derive(Default)]
pub(crate) struct Dirty {
    /// Bytes of blocks freed into spans since those were swept.
    pub(crate) bytes: usize,
    /// Bytes of all blocks free in spans, swept or not.
    pub(crate) free: usize,
    /// Bytes of pages that were purged and hold no block handed out since.
    pub(crate) gone: usize,
    /// Raised each quarter of the decay time; a span remembers when blocks were last taken from it, or freed.
    pub(crate) generation: u16,
    /// Memory of the program's own that the spans lie in, and not in the pool's: no page of it goes to the kernel, so nothing of it counts as what
    /// could.
    pub(crate) region: Option<&'static Region>,
    /// The record of the span that was given back last.
    pub(super) spare: Spare,
    /// One more than the generation in which a sweep last came to the end of what is `Sweep::Older`.
    pub(super) older_swept: u16,
    /// Where the sweep is that looks for old spans, and where any other: with one for both, what the first passes over the second would never see.
    pub(super) hands: [Hand; 2],
}

impl Dirty {
    /// Counts what came back to spans.
    #[inline(always)]
    pub(super) fn note_freed(&mut self, bytes: usize) {
        if self.region.is_none() {
            self.bytes += bytes;
            self.free += bytes;
        }
    }

    /// Whether there is nothing left that is `Sweep::Older`, until the next generation.
    pub(crate) fn is_older_swept(&self) -> bool {
        self.older_swept == self.generation.wrapping_add(1)
    }
}

/// A place among all the spans of a heap, from one chain and class to the next. It stays right while spans come, go and move: one that
/// moves may be missed, or met twice.
///
/// Packed: a heap has no line to spare.
#[derive(Clone, Copy, Default)]
#[repr(C, packed(4))]
pub(super) struct Hand {
    /// `None`: at the end of a chain.
    pub(super) at: Option<NonNull<Span>>,
    /// The chain after the one that it is in.
    pub(super) class: u16,
    pub(super) chain: u16,
}
