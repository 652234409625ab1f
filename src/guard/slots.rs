//! The region's pages and what stands in them. Pages of odd numbers are slots, those of even ones are never open.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::base::addr::Addr;
use crate::base::aside::Aside;

/// Guarded blocks at a time.
pub(super) const SLOTS: usize = 255;

/// Bytes of the region: 512 pages, a multiple of 64 KiB whatever a page is.
pub(super) fn region_bytes(page: usize) -> usize {
    2 * (SLOTS + 1) * page
}

/// | state | the page is | leaves by           |
/// |-------|-------------|---------------------|
/// | Never | closed      | `enter` → Live      |
/// | Live  | open        | `leave` → Freed     |
/// | Freed | closed      | `enter` → Live      |
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Never,
    Live,
    Freed,
}

/// Read by the signal handler, which can take no lock: hence atomics. `enter` is called under the lock.
pub(super) struct Slot {
    at: AtomicUsize,
    size: AtomicUsize,
    state: AtomicU32,
}

static TABLE: Aside<[Slot; SLOTS]> =
    Aside([const { Slot { at: AtomicUsize::new(0), size: AtomicUsize::new(0), state: AtomicU32::new(0) } }; SLOTS]);

pub(super) fn slot(number: usize) -> Option<&'static Slot> {
    TABLE.get(number)
}

/// The page of a slot.
pub(super) fn page_of(region: Addr, number: usize, page: usize) -> Addr {
    region.offset((2 * number + 1) * page)
}

/// The slot whose page holds `at`.
pub(super) fn slot_at(region: Addr, at: Addr, page: usize) -> Option<(usize, &'static Slot)> {
    let index = at.since(region) >> page.trailing_zeros();
    let number = index / 2;
    (index % 2 == 1).then(|| slot(number).map(|slot| (number, slot))).flatten()
}

impl Slot {
    /// Relaxed, throughout: a program that frees a block got its address by synchronisation of its own, and the handler
    /// only describes.
    pub(super) fn enter(&self, at: Addr, size: usize) {
        self.at.store(at.0, Ordering::Relaxed);
        self.size.store(size, Ordering::Relaxed);
        self.state.store(State::Live as u32, Ordering::Relaxed);
    }

    pub(super) fn cut(&self, size: usize) {
        self.size.store(size, Ordering::Relaxed);
    }

    /// `false`: it was not live.
    pub(super) fn leave(&self) -> bool {
        let (live, freed) = (State::Live as u32, State::Freed as u32);
        self.state.compare_exchange(live, freed, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    pub(super) fn at(&self) -> Addr {
        Addr(self.at.load(Ordering::Relaxed))
    }

    pub(super) fn size(&self) -> usize {
        self.size.load(Ordering::Relaxed)
    }

    pub(super) fn state(&self) -> State {
        match self.state.load(Ordering::Relaxed) {
            0 => State::Never,
            1 => State::Live,
            _ => State::Freed,
        }
    }
}
