//! The region's places and what stands in them: a row of pages, for blocks that a page holds, and one of 64 KiB, for larger ones. In each row the
//! places of odd numbers are slots, those of even ones are never open. Of a slot only the pages are open that its block lies in.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::base::addr::{Addr, GRANULE};
use crate::base::aside::Aside;
use crate::os::sealed::SEALED;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    Pages = 0,
    Wide = 1,
}

/// Slots of each row: guarded blocks at a time. Their numbers fit in a byte, and a row is a multiple of 64 KiB whatever a page is.
const PAGES: usize = 255;
const WIDE: usize = 63;

/// Null until it is mapped.
pub(super) fn region() -> Addr {
    // Pairs with the Release in `start`.
    Addr(SEALED.region.load(Ordering::Acquire))
}

/// Bytes of the region.
pub(super) fn region_bytes(page: usize) -> usize {
    Row::Pages.bytes(page) + Row::Wide.bytes(page)
}

impl Row {
    pub(super) const EACH: [Row; 2] = [Row::Pages, Row::Wide];

    /// The row of a block of `size` bytes at a multiple of `align`; `None`: it has no room in either.
    pub(super) fn of(size: usize, align: usize, page: usize) -> Option<Row> {
        Row::EACH.into_iter().find(|row| size.max(align) <= row.width(page))
    }

    /// Bytes of a place.
    pub(super) fn width(self, page: usize) -> usize {
        match self {
            Row::Pages => page,
            Row::Wide => GRANULE,
        }
    }

    /// How many slots it has.
    pub(super) fn slots(self) -> usize {
        match self {
            Row::Pages => PAGES,
            Row::Wide => WIDE,
        }
    }

    fn bytes(self, page: usize) -> usize {
        2 * (self.slots() + 1) * self.width(page)
    }

    /// Where it starts in the region.
    fn offset(self, page: usize) -> usize {
        match self {
            Row::Pages => 0,
            Row::Wide => Row::Pages.bytes(page),
        }
    }

    /// Where slot `number` of it starts.
    pub(super) fn start_of(self, region: Addr, number: usize, page: usize) -> Addr {
        region.offset(self.offset(page) + (2 * number + 1) * self.width(page))
    }

    pub(super) fn slot(self, number: usize) -> Option<&'static Slot> {
        let first = if self == Row::Pages { 0 } else { PAGES };
        TABLE.get(first + number).filter(|_| number < self.slots())
    }
}

/// What lies at an address of the region.
pub(super) enum Place {
    Slot(Row, usize, &'static Slot),
    /// What is never open, between the slots below and above, if there are such. Whether it is the half next to the one below.
    Between {
        below: Option<&'static Slot>,
        above: Option<&'static Slot>,
        near_below: bool,
    },
}

/// What lies at `at`, an address of the region.
pub(super) fn place_at(region: Addr, at: Addr, page: usize) -> Place {
    let offset = at.since(region);
    let row = if offset < Row::Wide.offset(page) { Row::Pages } else { Row::Wide };
    let (within, width) = (offset - row.offset(page), row.width(page));
    // A power of two: shifted, for a division would need a panic for 0.
    let place = within >> width.trailing_zeros();
    let number = place / 2;
    match row.slot(number) {
        Some(slot) if place % 2 == 1 => Place::Slot(row, number, slot),
        above => {
            let below = number.checked_sub(1).and_then(|below| row.slot(below));
            Place::Between { below, above, near_below: within & (width - 1) < width / 2 }
        }
    }
}

/// | state | its pages are | leaves by           |
/// |-------|---------------|---------------------|
/// | Never | closed        | `enter` → Live      |
/// | Live  | open          | `leave` → Freed     |
/// | Freed | closed        | `enter` → Live      |
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
    /// Bytes of its open pages, the first of which holds the block's start.
    open: AtomicUsize,
    state: AtomicU32,
}

static TABLE: Aside<[Slot; PAGES + WIDE]> = Aside(
    [const {
        Slot { at: AtomicUsize::new(0), size: AtomicUsize::new(0), open: AtomicUsize::new(0), state: AtomicU32::new(0) }
    }; PAGES + WIDE],
);

impl Slot {
    /// Relaxed, throughout: a program that frees a block got its address by synchronisation of its own, and the handler
    /// only describes.
    pub(super) fn enter(&self, at: Addr, size: usize, open: usize) {
        self.at.store(at.0, Ordering::Relaxed);
        self.size.store(size, Ordering::Relaxed);
        self.open.store(open, Ordering::Relaxed);
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

    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(super) fn state(&self) -> State {
        match self.state.load(Ordering::Relaxed) {
            0 => State::Never,
            1 => State::Live,
            _ => State::Freed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_is_found_where_it_starts_and_lies_between_places_that_are_none() {
        for page in [4096, 16_384, 65_536] {
            let region = Addr(7 * GRANULE);
            let mut last = region;
            for row in Row::EACH {
                for number in 0..row.slots() {
                    let (start, width) = (row.start_of(region, number, page), row.width(page));
                    for at in [start, start.offset(width - 1)] {
                        assert!(
                            matches!(place_at(region, at, page), Place::Slot(of, which, _) if of == row && which == number)
                        );
                    }
                    for at in [Addr(start.0 - 1), start.offset(width)] {
                        assert!(matches!(place_at(region, at, page), Place::Between { .. }));
                    }
                    assert!(start > last && start.is_aligned(width));
                    last = start.offset(width);
                }
            }
            assert!(last.since(region) < region_bytes(page) && region_bytes(page) % GRANULE == 0);
        }
    }

    #[test]
    fn the_smallest_place_that_will_do() {
        let of = |size, align| Row::of(size, align, 4096).map(|row| row as usize);
        assert_eq!(
            [of(1, 16), of(4096, 4096), of(4097, 16), of(8, 8192), of(65_536, 65_536)],
            [0, 0, 1, 1, 1].map(Some)
        );
        assert_eq!([of(65_537, 16), of(8, 131_072)], [None, None]);
        assert!(Row::of(65_536, 65_536, 65_536) == Some(Row::Pages));
    }
}
