//! SuperSlabs of hardened heaps (`HAKMEM_HARDENED=1`). Each serves one kind of slab, for ever: what its addresses held once they hold again, so that a
//! pointer into a freed block always points into blocks of that size. It is closed but for the slots that were acquired, which lie where chance has
//! it, one place in eight never, and between others that are closed wholly.
//!
//! They come out of rooms of addresses that lie anywhere, and are never unmapped: what goes back to the kernel is the memory of their slots, which are
//! closed then.
#![forbid(unsafe_code)]

use core::sync::atomic::Ordering;

use super::counts::MAPPED_BYTES;
use super::slab::{SLOTS, SUPERSLAB, Slab, SlabKind};
use super::table::{self, SuperSlab};
use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::{low_mask, run_starts};
use crate::canary;
use crate::class::CLASSES;
use crate::config;
use crate::os::names::{self, Name};
use crate::os::{self, closed};
use crate::stats::level;

/// SuperSlabs of a room; between two of them, and at both ends, as much stays closed.
const PLACES: u32 = 16;
const ROOM: usize = (2 * PLACES as usize + 1) * SUPERSLAB;
/// How far from the library itself a room may lie.
const REACH: usize = 32 << 30;
/// Of so many places in a SuperSlab one is never opened.
const CLOSED_OF: u32 = 8;
/// Mappings, to the kernel, that a SuperSlab may take at most: every second slot is open.
const MOST: usize = SLOTS as usize;

/// Addresses set aside, all closed, and which of their places no SuperSlab has yet.
pub(super) struct Room {
    base: Addr,
    left: u32,
}

impl Room {
    pub(super) const NONE: Room = Room { base: Addr::NULL, left: 0 };

    pub(super) fn of(base: Addr) -> Room {
        Room { base, left: low_mask(PLACES) }
    }

    /// Whether there ever was one.
    pub(super) fn is_used(&self) -> bool {
        !self.base.is_null()
    }

    /// Where another SuperSlab may be. `None`: nowhere here.
    pub(super) fn take(&mut self, random: u64) -> Option<Addr> {
        let place = any_bit(self.left, random)?;
        self.left &= !(1 << place);
        Some(self.base.offset((2 * place as usize + 1) * SUPERSLAB))
    }
}

/// Whether slabs of `kind` are to come from such SuperSlabs, as far as there may be more.
pub(super) fn is_on(kind: SlabKind) -> bool {
    config::is_ready()
        && config::get::hardened() == config::hardened::FULL
        && (kind.0 as usize) < CLASSES
        && closed::has_room(MOST)
        && closed::has_addresses()
}

/// Counts a SuperSlab that serves all kinds, hardened: there was no room for another one.
pub(super) fn note_shared() {
    if config::is_ready() && config::get::hardened() == config::hardened::FULL {
        closed::miss();
    }
}

/// Addresses for a room, anywhere.
pub(super) fn reserve() -> Option<Addr> {
    let here = Addr::of(&raw const PLACE_OF_LIBRARY).0;
    // In a program at fixed addresses there is nothing below: where the kernel likes then.
    let hint = here.checked_sub(REACH + ROOM).filter(|low| *low > REACH).unwrap_or(0);
    let away = if hint == 0 { 0 } else { (canary::draw() as usize % REACH) & !(SUPERSLAB - 1) };
    let base = os::reserve(Addr((hint + away) & !(SUPERSLAB - 1)), ROOM, SUPERSLAB)?;
    names::give(base, ROOM, Name::Blocks);
    Some(base)
}

static PLACE_OF_LIBRARY: u8 = 0;

/// Of a SuperSlab for slabs of `len` slots, which lie at multiples of that: slots that stay closed.
#[inline(never)] // for the stack
pub(super) fn absent(len: u32) -> u32 {
    let places = SLOTS.checked_div(len).unwrap_or(1);
    let mut closed = if places * len == SLOTS { 0 } else { !low_mask(places * len) };
    for _ in 0..places / CLOSED_OF {
        if let Some(first) = any_place(!closed, len, canary::draw()) {
            closed |= low_mask(len) << first;
        }
    }
    closed
}

/// Any place of `len` slots of `mask`, at a multiple of `len`; with the same `random` the same.
#[inline(never)] // for the stack of who calls it deep down
pub(super) fn any_place(mask: u32, len: u32, random: u64) -> Option<u32> {
    let (mut multiples, mut first) = (0, 0);
    while first < SLOTS {
        multiples |= 1 << first;
        first += len.max(1);
    }
    any_bit(run_starts(mask, len) & multiples, random)
}

/// Any bit of `mask`.
fn any_bit(mask: u32, random: u64) -> Option<u32> {
    let mut left = mask;
    let skip = (random as u32 as u64 * mask.count_ones() as u64) >> 32;
    for _ in 0..skip {
        left &= left.wrapping_sub(1);
    }
    (left != 0).then(|| left.trailing_zeros())
}

/// Opens the slots of a slab just acquired that are closed. `false`: refused.
#[inline]
pub(super) fn open(slab: &Slab) -> bool {
    match table::get(slab.id) {
        Some(super_slab) if super_slab.kind().is_some() => open_slots(super_slab, slab.mask()),
        _ => true,
    }
}

#[cold]
#[inline(never)]
fn open_slots(super_slab: &SuperSlab, mask: u32) -> bool {
    // Relaxed, here and below: bits of slots that are ours; who gets them next gets them by the slot word.
    let mut missing = mask & !super_slab.open.load(Ordering::Relaxed);
    while missing != 0 {
        let (run, at, bytes) = first_run(super_slab, missing);
        if !os::open(at, bytes) {
            return false;
        }
        // Opened, they are as a new mapping is: see `huge`.
        os::advise_huge(at, bytes, false);
        let before = super_slab.open.fetch_or(run, Ordering::Relaxed);
        closed::settle(mappings(before), mappings(before | run));
        MAPPED_BYTES.add(bytes as u64);
        level::MAPPED.add(bytes as u64);
        missing &= !run;
    }
    true
}

/// Closes slots that nobody else comes to, and whose memory nobody wants any more. `false`: the kernel refused some, which stay as they are.
#[cold]
#[inline(never)]
pub(super) fn close(super_slab: &SuperSlab, mask: u32) -> bool {
    let mut left = mask & super_slab.open.load(Ordering::Relaxed);
    while left != 0 {
        let (run, at, bytes) = first_run(super_slab, left);
        left &= !run;
        if os::close(at, bytes) {
            let before = super_slab.open.fetch_and(!run, Ordering::Relaxed);
            closed::settle(mappings(before), mappings(before & !run));
            MAPPED_BYTES.sub(bytes as u64);
            level::MAPPED.sub(bytes as u64);
        }
    }
    mask & super_slab.open.load(Ordering::Relaxed) == 0
}

/// The first run of slots in `mask`: which, where they lie, and their bytes.
fn first_run(super_slab: &SuperSlab, mask: u32) -> (u32, Addr, usize) {
    let first = mask.trailing_zeros();
    let len = (mask >> first).trailing_ones();
    (low_mask(len) << first, super_slab.base().offset(first as usize * GRANULE), len as usize * GRANULE)
}

/// Mappings, to the kernel, of a SuperSlab with these slots open: each run of them parts closed ones.
fn mappings(open: u32) -> usize {
    2 * (open & !(open << 1)).count_ones() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_whole_lie_anywhere_and_one_in_eight_stays_closed() {
        for len in 1..=16 {
            let absent = absent(len);
            let places = SLOTS / len;
            assert_eq!(absent.count_ones(), SLOTS - places * len + places / CLOSED_OF * len, "{len}");
            let mut seen = 0;
            for random in 0..4096u64 {
                let first = any_place(!absent, len, random << 20).unwrap();
                assert!(first % len == 0 && (absent >> first) & low_mask(len) == 0);
                seen |= low_mask(len) << first;
            }
            assert_eq!(seen, !absent, "{len}");
            assert_eq!(any_place(0, len, 7), None);
        }
    }

    #[test]
    fn a_room_has_so_many_places_none_at_its_ends_and_none_next_to_another() {
        let (base, mut all) = (Addr(SUPERSLAB), std::vec::Vec::new());
        let mut room = Room::of(base);
        while let Some(place) = room.take(canary::draw()) {
            all.push(place.since(base) / SUPERSLAB);
        }
        assert!(all.len() == PLACES as usize && !all.is_sorted());
        all.sort_unstable();
        assert!(all.iter().all(|place| place % 2 == 1) && all.last() == Some(&(ROOM / SUPERSLAB - 2)));
    }

    #[test]
    fn each_run_of_open_slots_is_two_mappings_more() {
        assert_eq!([mappings(0), mappings(u32::MAX), mappings(0x5555_5555), mappings(0b110)], [0, 2, MOST, 2]);
    }
}
