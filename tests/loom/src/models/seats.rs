//! `Seats`: what freed large blocks wait at.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use super::check;
use crate::base::seats::{PLACES, Seats};
use crate::base::sync::Ordering;

const WORDS: usize = 3;

struct All {
    seats: Seats<1>,
    contents: [UnsafeCell<u32>; WORDS],
}

impl All {
    fn new() -> Arc<All> {
        let all = Arc::new(All { seats: Seats::new(), contents: core::array::from_fn(|_| UnsafeCell::new(0)) });
        // What `new` made is there before the threads are (see base/sync.rs): the places that a model comes to.
        for _ in 0..PLACES {
            assert!(all.seats.take(0, |word| word != 0).is_none());
        }
        all
    }

    /// Writes what `word` names, as only its owner may, and leaves it.
    fn put(&self, word: u64, who: u32) -> bool {
        self.own(word, who);
        self.seats.free_place(0).is_some_and(|place| {
            place.load(Ordering::Relaxed);
            Seats::<1>::put(place, word)
        })
    }

    fn take(&self, who: u32) -> Option<u64> {
        let word = self.seats.take(0, |word| word != 0)?;
        self.own(word, who);
        Some(word)
    }

    /// Another thread that takes one.
    fn taker(all: &Arc<All>) -> thread::JoinHandle<Option<u64>> {
        let all = all.clone();
        thread::spawn(move || all.take(1))
    }

    fn own(&self, word: u64, who: u32) {
        // SAFETY: loom checks that nobody else is in the cell.
        self.contents[word as usize - 1].with_mut(|last| unsafe { *last = who });
    }

    fn none_lost(&self, held: impl IntoIterator<Item = u64>, words: u64) {
        let mut all: Vec<u64> = held.into_iter().collect();
        all.extend(core::iter::from_fn(|| self.take(9)));
        all.sort_unstable();
        assert!(all.iter().copied().eq(1..=words), "{all:?}");
    }
}

/// One leaves a word and takes one, another takes: each is had by one, with what it names.
pub fn seats_hand_over_what_a_word_names() {
    check(2, 0, || {
        let all = All::new();
        assert!(all.put(1, 0));
        let other = All::taker(&all);
        let left = all.put(2, 2);
        assert!(left);
        let mine = all.take(2);
        let held = [other.join().unwrap(), mine];
        all.none_lost(held.into_iter().flatten(), 2);
    });
}

/// Two leave words at once where both saw the same free place: one is told that it is taken, and still has its word.
pub fn seats_never_overwrite() {
    check(2, 0, || {
        let all = All::new();
        let other = {
            let all = all.clone();
            thread::spawn(move || (!all.put(1, 1)).then_some(1))
        };
        let mine = (!all.put(2, 2)).then_some(2);
        let held = [other.join().unwrap(), mine];
        // Who found no place has it still.
        held.into_iter().flatten().for_each(|word| all.own(word, 3));
        all.none_lost(held.into_iter().flatten(), 2);
    });
}

/// Two take at once: one word is not had twice.
pub fn seats_give_a_word_once() {
    check(2, 0, || {
        let all = All::new();
        assert!(all.put(1, 0));
        let other = All::taker(&all);
        let mine = all.take(2);
        let held = [other.join().unwrap(), mine];
        all.none_lost(held.into_iter().flatten(), 1);
    });
}
