//! Feature `paranoid`: the walkers over a heap.

use super::bin::Bin;
use super::state::{Core, Heap, OwnHeap};
use crate::base::addr::Addr;
use crate::class::ClassId;
use crate::os::require;
use crate::profile;
use crate::span::{self, Dirty};

impl Heap {
    /// What the lock guards: H3, and all of span's. Any thread that holds no heap's lock.
    pub(crate) fn check_spans(&self) {
        self.check_core(&self.look());
    }

    fn check_core(&self, core: &Core) {
        let mut sum = Dirty::default();
        sum.region = core.dirty.region;
        let mut used = 0;
        for (class, spans) in ClassId::all().zip(&core.spans) {
            spans.check(self.addr(), class, &mut sum);
            used += spans.used(class);
        }
        require(used == core.tide.used, "T1: the bytes in use", self.addr());
        require(sum.bytes == core.dirty.bytes, "D1: the sum of the dirty bytes", self.addr());
        require(sum.free == core.dirty.free, "D1: the sum of the free bytes", self.addr());
        require(sum.gone == core.dirty.gone, "D1: the sum of the purged bytes", self.addr());
    }
}

impl OwnHeap {
    /// Also B1, B2, H1 and H2 of the magazines.
    pub(crate) fn check(self) {
        let core = self.look();
        self.check_core(&core);
        for free in [true, false] {
            for class in ClassId::all() {
                let bin = self.bin(class);
                bin.check();
                // SAFETY: we are the heap's user, and nothing here touches the bin.
                for &block in unsafe { bin.oldest(usize::MAX) } {
                    span::mark(self.addr(), class, block, free);
                }
                // SAFETY: likewise.
                for &block in unsafe { self.lent(class) } {
                    span::mark(self.addr(), class, block, free);
                }
            }
        }
    }

    /// H1 and H2 of one block that a cache of a higher box holds.
    pub(crate) fn check_cached(self, class: ClassId, block: Addr) {
        let _core = self.look();
        span::mark(self.addr(), class, block, true);
        span::mark(self.addr(), class, block, false);
    }

    /// The blocks of a class that are lent.
    ///
    /// # Safety
    /// As for `Bin::oldest`.
    unsafe fn lent(self, class: ClassId) -> &'static [Addr] {
        // SAFETY: the caller's.
        if profile::was_on() { unsafe { self.second_bin(class).oldest(usize::MAX) } } else { &[] }
    }
}

impl Bin {
    fn check(&self) {
        let at = Addr::of(self);
        let (capacity, len) = (self.capacity(), self.len());
        require(capacity <= 1 << 14 && len <= capacity, "B1: a magazine's ends", at);
        require(capacity == 0 || self.max() > 0, "B1: a magazine behind a closed gate", at);
    }
}
