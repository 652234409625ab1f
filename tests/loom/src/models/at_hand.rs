//! `AtHand`: a thread's seats in shared arenas, which who destroys an arena strikes out.

use loom::sync::{Arc, Mutex};
use loom::thread;

use super::check;
use crate::base::at_hand::AtHand;
use crate::base::sync::{AtomicUsize, Ordering};

/// Keys that share a place, one that does not, and likewise their values.
const KEYS: [usize; 3] = [8 << 15, 16 << 15, 9 << 15];
const VALUES: [usize; 3] = [24 << 15, 32 << 15, 25 << 15];

struct All {
    at_hand: AtHand,
    lock: Mutex<()>,
    /// The program's own synchronisation: that a key or a value means something else by now.
    handed_on: AtomicUsize,
}

impl All {
    fn new(noted: &[usize]) -> Arc<All> {
        // SAFETY: zeroes are a valid value.
        let at_hand: AtHand = unsafe { core::mem::zeroed() };
        let all = Arc::new(All { at_hand, lock: Mutex::new(()), handed_on: AtomicUsize::new(0) });
        // What is there is there before the threads are (see base/sync.rs).
        assert!(!all.is_handed_on());
        all.at_hand.strike(|_| true);
        for &index in noted {
            all.at_hand.note(KEYS[index], VALUES[index]);
        }
        all
    }

    /// Another thread that strikes out the first value, and then hands on what it and its key are from then on.
    fn striker(all: &Arc<All>) -> thread::JoinHandle<()> {
        let all = all.clone();
        thread::spawn(move || {
            let lock = all.lock.lock().unwrap();
            all.at_hand.strike(|value| value == VALUES[0]);
            drop(lock);
            all.handed_on.store(1, Ordering::Release);
        })
    }

    fn is_handed_on(&self) -> bool {
        self.handed_on.load(Ordering::Acquire) == 1
    }

    fn note(&self, index: usize) {
        let _lock = self.lock.lock().unwrap();
        self.at_hand.note(KEYS[index], VALUES[index]);
    }
}

/// Who was handed the key of something new, or a block of it, does not take it for what was struck out.
pub fn at_hand_what_is_struck_out_is_found_no_more() {
    check(2, 0, || {
        let all = All::new(&[0]);
        let other = All::striker(&all);
        if all.is_handed_on() {
            assert!(all.at_hand.find(KEYS[0]).is_none() && !all.at_hand.has(VALUES[0]));
        } else {
            assert!(all.at_hand.find(KEYS[0]).is_none_or(|value| value == VALUES[0]));
        }
        other.join().unwrap();
        assert!(all.at_hand.find(KEYS[0]).is_none() && !all.at_hand.has(VALUES[0]));
    });
}

/// What a thread comes to have while another strikes something out is never taken for that, and at another place it stays.
pub fn at_hand_a_note_meanwhile_is_right() {
    for index in [1, 2] {
        check(2, 0, move || {
            let all = All::new(&[0]);
            let other = All::striker(&all);
            all.note(index);
            assert!(all.at_hand.find(KEYS[index]) == Some(VALUES[index]) && all.at_hand.has(VALUES[index]));
            other.join().unwrap();
            assert!(all.at_hand.find(KEYS[index]) == Some(VALUES[index]) && all.at_hand.has(VALUES[index]));
            assert!(all.at_hand.find(KEYS[0]).is_none() && !all.at_hand.has(VALUES[0]));
        });
    }
}

/// A key that comes round leads to what it goes with then.
pub fn at_hand_a_key_that_comes_round_leads_to_the_new_value() {
    check(2, 0, || {
        let all = All::new(&[0]);
        let other = All::striker(&all);
        if all.is_handed_on() {
            let lock = all.lock.lock().unwrap();
            all.at_hand.note(KEYS[0], VALUES[2]);
            drop(lock);
            assert!(all.at_hand.find(KEYS[0]) == Some(VALUES[2]) && all.at_hand.has(VALUES[2]));
            assert!(!all.at_hand.has(VALUES[0]));
        }
        other.join().unwrap();
    });
}
