//! `AtHand`: what a thread has to itself of things that are found by a key, a few of them: for a key the value that goes with it, and whether a value is
//! one of those. HOT.
//!
//! Only the thread looks anything up, and takes no lock for it. Entries are made by the thread, and struck out by anybody, one at a time: the caller
//! has a lock. Who strikes out a value does so before key or value means anything else; whoever comes to have one of those from then on
//! has it by the program's own synchronisation, and so finds the old entry no more. Nothing else is promised to a lookup, and so all is Relaxed.
#![forbid(unsafe_code)]

use super::sync::{AtomicUsize, Ordering};

/// Entries. One takes the place of another whose key has the same place.
const PLACES: usize = 8;

/// Zeroes are a valid value: it has nothing. Then `has` finds 0, which `note` ends.
///
/// # Invariants
/// - K1: where `key` is not 0, `value` is what was noted with it.
pub(crate) struct AtHand {
    by_key: [Entry; PLACES],
    values: [AtomicUsize; PLACES],
}

struct Entry {
    key: AtomicUsize,
    value: AtomicUsize,
}

/// In `values`, of who ever had something: no value.
const NONE: usize = 1;

/// Keys and values are addresses, 32 KiB apart mostly.
fn place(of: usize) -> usize {
    (of >> 15) % PLACES
}

impl AtHand {
    /// The value that goes with `key`, which is not 0; `None`: it is not at hand.
    #[inline(always)]
    pub(crate) fn find(&self, key: usize) -> Option<usize> {
        let place = place(key);
        if self.by_key[place].key.load(Ordering::Relaxed) == key {
            return Some(self.by_key[place].value.load(Ordering::Relaxed));
        }
        None
    }

    /// Whether `value` is at hand.
    #[inline(always)]
    pub(crate) fn has(&self, value: usize) -> bool {
        self.values[place(value)].load(Ordering::Relaxed) == value
    }

    /// Puts at hand what the thread has. The thread; under the caller's lock.
    pub(crate) fn note(&self, key: usize, value: usize) {
        if let Some(entry) = self.by_key.get(place(key)) {
            entry.value.store(value, Ordering::Relaxed);
            entry.key.store(key, Ordering::Relaxed);
        }
        if let Some(at) = self.values.get(place(value)) {
            at.store(value, Ordering::Relaxed);
        }
    }

    /// Strikes out the values that are `gone`. Anybody; under the caller's lock.
    pub(crate) fn strike(&self, gone: impl Fn(usize) -> bool) {
        for entry in self.by_key.iter().filter(|entry| gone(entry.value.load(Ordering::Relaxed))) {
            entry.key.store(0, Ordering::Relaxed);
        }
        for value in self.values.iter().filter(|value| gone(value.load(Ordering::Relaxed))) {
            value.store(NONE, Ordering::Relaxed);
        }
    }
}
