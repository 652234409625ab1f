//! `Meter`: a thread's count of bytes until its next sample. In the second page of its heap, and only its thread's.
#![forbid(unsafe_code)]

use core::cell::Cell;

use super::draw;
use crate::os;

/// What a block of no bytes counts as is one.
#[inline(always)]
fn bytes(size: usize) -> u64 {
    size.max(1) as u64
}

/// All zero is a meter that has not begun.
pub(crate) struct Meter {
    /// Bytes that pass before the next sampled one.
    left: Cell<u64>,
    /// The state of the random stream; 0: not seeded.
    random: Cell<u64>,
    /// Set while the thread takes a sample: what the unwinder allocates is not counted.
    busy: Cell<bool>,
}

impl Meter {
    /// Whether a block of `size` bytes would pass without more ado.
    #[inline(always)]
    pub(crate) fn has(&self, size: usize) -> bool {
        bytes(size) <= self.left.get()
    }

    /// Counts a block for which that is so.
    #[inline(always)]
    pub(crate) fn count(&self, size: usize) {
        self.left.set(self.left.get().wrapping_sub(bytes(size)));
    }

    /// Counts a block of `size` bytes. `false`: it is to be sampled.
    #[inline(always)]
    pub(crate) fn passes(&self, size: usize) -> bool {
        if self.has(size) {
            self.count(size);
            return true;
        }
        self.passes_anew(size)
    }

    /// The same where the count is at its end, or was never begun.
    #[cold]
    #[inline(never)]
    fn passes_anew(&self, size: usize) -> bool {
        if self.busy.get() {
            return true;
        }
        if self.random.get() == 0 {
            let [seed, ..] = os::random();
            self.random.set(seed | 1);
            self.left.set(self.gap());
            if self.has(size) {
                self.count(size);
                return true;
            }
        }
        // What the sampled block has left of its bytes makes no difference: a gap is as long whatever was before it.
        self.left.set(self.gap());
        false
    }

    fn gap(&self) -> u64 {
        let (state, random) = draw::next(self.random.get());
        self.random.set(state);
        draw::gap(random, super::rate())
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
