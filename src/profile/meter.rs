//! `Meter`: a thread's count of bytes until its next sample. In the second page of its heap, and only its thread's.
#![forbid(unsafe_code)]

use core::cell::Cell;

use super::{draw, tables};
use crate::os;

/// All zero is a meter that has not begun.
pub(crate) struct Meter {
    /// Bytes that pass before the next sampled one.
    left: Cell<u64>,
    begun: Cell<bool>,
    /// The state of the random stream; 0: not seeded.
    random: Cell<u64>,
    /// Set while the thread takes a sample: what the unwinder allocates is not counted.
    busy: Cell<bool>,
}

impl Meter {
    /// Whether a block that counts as so many bytes would pass without more ado.
    #[inline(always)]
    pub(crate) fn has(&self, bytes: usize) -> bool {
        bytes as u64 <= self.left.get()
    }

    /// Counts a block for which that is so.
    #[inline(always)]
    pub(crate) fn count(&self, bytes: usize) {
        self.left.set(self.left.get().wrapping_sub(bytes as u64));
    }

    /// How many blocks of `size` bytes each pass before one that is sampled: of a count that is apart from this one. `None`: the thread takes a
    /// sample, and counts nothing.
    pub(crate) fn draw_blocks(&self, size: usize) -> Option<u32> {
        if self.busy.get() {
            return None;
        }
        self.seed();
        // No size is 0; Rust 1.85 does not see that, and keeps a panic.
        let blocks = self.gap().checked_div(size as u64)?;
        Some(u32::try_from(blocks).unwrap_or(u32::MAX))
    }

    /// Counts a block of `size` bytes. `false`: it is to be sampled.
    #[inline(always)]
    pub(crate) fn passes(&self, size: usize) -> bool {
        let bytes = draw::bytes(size);
        if self.has(bytes) {
            self.count(bytes);
            return true;
        }
        self.passes_anew(bytes)
    }

    /// The same where the count is at its end, or was never begun.
    #[cold]
    #[inline(never)]
    fn passes_anew(&self, bytes: usize) -> bool {
        if self.busy.get() {
            return true;
        }
        if !self.begun.replace(true) {
            self.seed();
            self.left.set(self.gap());
            if self.has(bytes) {
                self.count(bytes);
                return true;
            }
        }
        // What the sampled block has left of its bytes makes no difference: a gap is as long whatever was before it.
        self.left.set(self.gap());
        false
    }

    fn seed(&self) {
        if self.random.get() == 0 {
            let [seed] = os::random();
            self.random.set(seed | 1);
        }
    }

    fn gap(&self) -> u64 {
        let (state, random) = draw::next(self.random.get());
        self.random.set(state);
        draw::gap(random, tables::rate())
    }

    /// Runs `take` unless the thread is at it already.
    pub(crate) fn alone<T>(&self, take: impl FnOnce() -> T) -> Option<T> {
        if self.busy.replace(true) {
            return None;
        }
        let taken = take();
        self.busy.set(false);
        Some(taken)
    }
}
