//! The page map: leaves that two threads make at once, and what a block's receiver sees.
//!
//! Leaves are zeroes from the kernel, there before any thread: the models touch the words they use first.

use loom::thread;

use super::check;
use crate::base::addr::{Addr, GRANULE};
use crate::base::sync::{AtomicU64, AtomicUsize, Ordering};
use crate::page_map::{Tag, enter, hot_tag, record, tag};

const AT: Addr = Addr(0x70 << 32);

/// Two threads enter granules of a leaf that is not there yet: neither entry is lost with the losing leaf.
pub fn page_map_entries_survive_a_race_for_the_leaf() {
    check(3, 0, || {
        let of = |index: usize| Tag::of_span(Addr(index << 14), index);
        // Two leaves: this one only places the window.
        assert!(enter(Addr(0x71 << 32), 1, of(9), Addr(9)));
        assert!(tag(AT) == Tag::NONE);
        let other = thread::spawn(move || enter(AT, 1, of(1), Addr(1)));
        assert!(enter(AT.offset(GRANULE), 1, of(2), Addr(2)));
        assert!(other.join().unwrap());
        for index in [1, 2] {
            let at = AT.offset((index - 1) * GRANULE);
            assert!(tag(at) == of(index) && record(at) == Addr(index));
        }
    });
}

/// A block handed to another thread with a Release and an Acquire is found there, Relaxed as the map is.
pub fn page_map_is_seen_by_who_receives_a_block() {
    check(3, 0, || {
        static BLOCK: AtomicUsize = AtomicUsize::new(0);
        let of = Tag::of_span(Addr(1 << 14), 1);
        assert!(enter(Addr(0x71 << 32), 1, of, Addr(9)));
        assert!(tag(AT) == Tag::NONE && BLOCK.load(Ordering::Relaxed) == 0);
        let other = thread::spawn(move || {
            let block = Addr(BLOCK.load(Ordering::Acquire));
            assert!(block.is_null() || (tag(block) == of && record(block) == Addr(1)));
        });
        assert!(enter(AT, 1, of, Addr(1)));
        BLOCK.store(AT.0 + 48, Ordering::Release);
        other.join().unwrap();
    });
}

/// Two first slabs at once, 1 GiB apart: one of them places the window, and it shows both as the leaves do.
pub fn page_map_window_is_placed_once() {
    check(3, 0, || {
        let of = |index: usize| Tag::of_span(Addr(index << 14), index);
        let places = [AT, AT.offset(1 << 30)];
        assert!(places.iter().all(|&at| tag(at) == Tag::NONE && hot_tag(at).is_none()));
        let other = thread::spawn(move || enter(places[1], 1, of(1), Addr(1)));
        assert!(enter(places[0], 1, of(0), Addr(1)));
        assert!(other.join().unwrap());
        assert!(places.iter().all(|&at| hot_tag(at) == Some(tag(at))));
    });
}
