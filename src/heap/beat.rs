//! What a thread counts its slow paths for.
#![forbid(unsafe_code)]

use super::state::OwnHeap;

impl OwnHeap {
    /// Counts a slow path of a class. Every 64th sends the batches that are still open: a bound on how long others' blocks
    /// wait here.
    pub(crate) fn tick(self) {
        let ticks = self.own().ticks.get().wrapping_add(1);
        self.own().ticks.set(ticks);
        if ticks % 64 == 0 {
            self.send_all();
            self.review();
        }
    }

    /// Counts a slow path of any kind, and says whether it is time to look at the clock.
    pub(crate) fn beat(self) -> bool {
        let beats = self.own().beats.get().wrapping_add(1);
        self.own().beats.set(beats);
        beats % 16 == 0
    }
}
