//! `Seats`: words that wait for whoever can use them, a few at each seat, put and taken by one atomic step. No lock: a full seat
//! says so, an empty one has none, and whoever looks through all of them misses at most what moves meanwhile.

use super::sync::{AtomicU64, Ordering};

/// Words at a seat: a line of the cache.
pub(crate) const PLACES: usize = 8;

/// `SEATS`: a power of two, more than processors that are busy with this at once.
pub(crate) struct Seats<const SEATS: usize>([Seat; SEATS]);

/// | word  | meaning                 | leaves by                     |
/// |-------|-------------------------|-------------------------------|
/// | 0     | free                    | `put` → a word                |
/// | other | it and what it names wait | `take` → 0, and the taker's |
#[repr(align(64))]
struct Seat([AtomicU64; PLACES]);

impl<const SEATS: usize> Seats<SEATS> {
    pub(crate) const fn new() -> Self {
        Seats([const { Seat([const { AtomicU64::new(0) }; PLACES]) }; SEATS])
    }

    fn seat(&self, seat: usize) -> &[AtomicU64; PLACES] {
        // SAFETY: reduced to the array's length.
        unsafe { &self.0.get_unchecked(seat % SEATS).0 }
    }

    /// A free place at `seat`, for `put`.
    #[inline(always)]
    pub(crate) fn free_place(&self, seat: usize) -> Option<&AtomicU64> {
        // Relaxed: only whether it is worth a try.
        self.seat(seat).iter().find(|place| place.load(Ordering::Relaxed) == 0)
    }

    /// Leaves `word`, which is not 0, and what it names. `false`: the place is taken by now.
    #[inline(always)]
    pub(crate) fn put(place: &AtomicU64, word: u64) -> bool {
        // Release pairs with the Acquire in `take`: who takes the word sees what was done with that which it names.
        // Relaxed on failure: nothing is left.
        place.compare_exchange(0, word, Ordering::Release, Ordering::Relaxed).is_ok()
    }

    /// The places at `seat` with a word that `fits`, as 0 does not, for `take_from`.
    #[inline(always)]
    pub(crate) fn find(&self, seat: usize, fits: impl Fn(u64) -> bool) -> impl Iterator<Item = (&AtomicU64, u64)> {
        // Relaxed: only whether it is worth a try. Taken and put again meanwhile it is the same word and as good.
        self.seat(seat).iter().map(|place| (place, place.load(Ordering::Relaxed))).filter(move |found| fits(found.1))
    }

    /// Takes the word that `find` found, if it is there still: it and what it names are the caller's alone.
    #[inline(always)]
    pub(crate) fn take_from((place, word): (&AtomicU64, u64)) -> Option<u64> {
        // Acquire pairs with the Release in `put`. Relaxed on failure: nothing is taken.
        let is_taken = place.compare_exchange(word, 0, Ordering::Acquire, Ordering::Relaxed).is_ok();
        is_taken.then_some(word)
    }

    /// Takes a word that `fits` from `seat`.
    #[inline(always)]
    pub(crate) fn take(&self, seat: usize, fits: impl Fn(u64) -> bool) -> Option<u64> {
        self.find(seat, fits).find_map(Self::take_from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_holds_some_and_no_other_seats() {
        static SEATS: Seats<2> = Seats::new();
        let put = |seat, word| SEATS.free_place(seat).is_some_and(|place| Seats::<2>::put(place, word));
        for word in 1..=PLACES as u64 {
            assert!(put(0, word));
        }
        assert!(!put(0, 99) && !put(2, 99), "full");
        assert_eq!(SEATS.take(1, |word| word != 0), None);
        assert_eq!(SEATS.take(0, |word| word == 5), Some(5));
        assert_eq!(SEATS.take(0, |word| word == 5), None);
        assert!(put(0, 99));
        assert_eq!((0..PLACES).filter_map(|_| SEATS.take(2, |word| word != 0)).sum::<u64>(), 36 - 5 + 99);
    }
}
