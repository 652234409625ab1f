//! A heap's lock, as in the crate; what a flush does is told by `span.rs`.

use core::ops::{Deref, DerefMut};

use super::state::{self, Core, Heap};
use crate::base::addr::Addr;
use crate::os::Misuse;
use crate::os::lock::MutexGuard;
use crate::span::{self, Stop};

pub(crate) struct Locked<'a> {
    pub(super) heap: &'a Heap,
    pub(super) core: MutexGuard<Core>,
}

impl Heap {
    pub(super) fn free_direct(&self, at: Addr) {
        self.free_all(&[at]);
    }

    /// As in the crate.
    pub(super) fn free_all(&self, blocks: &[Addr]) {
        let (mut heap, mut left) = (self, blocks);
        loop {
            let mut core = heap.look();
            match core.flush(left) {
                Ok(()) => return,
                Err(Stop::Astray { done, owner }) => {
                    left = &left[done..];
                    // SAFETY: a tag's owner.
                    heap = unsafe { state::at(owner) };
                }
                Err(stop) => super::flush::misuse(stop, left).die(),
            }
        }
    }

    pub(super) fn take_in(&self, wait: bool) {
        drop(if wait { Some(self.enter()) } else { self.try_enter() });
    }

    pub(super) fn look(&self) -> Locked<'_> {
        Locked { heap: self, core: self.core.lock() }
    }

    pub(super) fn try_look(&self) -> Option<Locked<'_>> {
        self.core.try_lock().map(|core| Locked { heap: self, core })
    }

    pub(super) fn enter(&self) -> Locked<'_> {
        self.look().drained()
    }

    pub(super) fn try_enter(&self) -> Option<Locked<'_>> {
        self.try_look().map(Locked::drained)
    }
}

impl Deref for Locked<'_> {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.core
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Core {
        &mut self.core
    }
}

impl Locked<'_> {
    pub(super) fn drained(mut self) -> Self {
        match self.drain() {
            Ok(()) => self,
            Err(misuse) => misuse.die(),
        }
    }

    pub(super) fn flush(&mut self, blocks: &[Addr]) -> Result<(), Stop> {
        span::flush(self.heap.addr(), blocks)
    }
}

impl Core {
    pub(super) fn publish(&mut self) {}

    pub(super) fn note_returned(&mut self, _: usize) {}
}
