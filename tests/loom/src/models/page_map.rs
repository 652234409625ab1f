//! The page map: leaves that two threads make at once, what a block's receiver sees, places that spans share.
//!
//! Leaves are zeroes from the kernel, there before any thread: the models touch the words they use first.

use loom::thread;

use super::check;
use crate::base::addr::{Addr, GRANULE};
use crate::base::sync::{AtomicU64, AtomicUsize, Ordering};
use crate::class::BIN_STRIDE;
use crate::page_map::{Struck, Tag, bin_of, enter, missed, purge, record, resident, strike, tag, word};

const AT: Addr = Addr(0x70 << 32);

/// Granules whose entries share a page.
const PAGE: usize = 256;

/// Two threads enter granules of a leaf that is not there yet: neither entry is lost with the losing leaf.
pub fn page_map_entries_survive_a_race_for_the_leaf() {
    check(3, 0, || {
        let of = |index: usize| Tag::of_span(Addr(index << 14), index);
        // In two pages: the word of one page would be made by two threads (see base/sync.rs).
        let at = |index: usize| AT.offset((index - 1) * PAGE * GRANULE);
        assert!(tag(AT) == Tag::NONE);
        let other = thread::spawn(move || enter(at(1), 1, of(1), Addr(1)));
        assert!(enter(at(2), 1, of(2), Addr(2)));
        assert!(other.join().unwrap());
        for index in [1, 2] {
            let at = at(index);
            assert!(tag(at) == of(index) && record(at) == Addr(index));
        }
    });
}

/// A block handed to another thread with a Release and an Acquire is found there, Relaxed as the map is.
pub fn page_map_is_seen_by_who_receives_a_block() {
    check(3, 0, || {
        static BLOCK: AtomicUsize = AtomicUsize::new(0);
        let of = Tag::of_span(Addr(1 << 14), 1);
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

/// A place of the hot table that two spans of two heaps share for a while, the heaps as far apart as the spans, so that one's
/// entry would be taken for the other's: whoever holds a block is told of its own bin or of none.
pub fn page_map_a_shared_place_misleads_nobody() {
    check(3, 0, || {
        const APART: usize = 1 << 19;
        let heaps = [1 << 14, 1 << 14 ^ APART];
        let spans = [AT, AT.offset(APART * GRANULE)];
        let of = move |index: usize| Tag::of_span(Addr(heaps[index]), index + 1);
        // The words used first, before there is a second thread.
        assert!(spans.iter().all(|&at| tag(at) == Tag::NONE && bin_of(at.granule(), heaps[0]) >= 4096));
        assert!(enter(spans[0], 1, of(0), Addr(1)));
        strike(spans[0], 1);
        assert!(enter(spans[1], 1, of(1), Addr(1)));
        strike(spans[1], 1);
        let live = move |index: usize| {
            assert!(enter(spans[index], 1, of(index), Addr(1)));
            let told = |heap: usize| bin_of(spans[index].granule(), heaps[heap]);
            let own = (index + 1) * BIN_STRIDE;
            assert!(told(index) == own || told(index) >= 4096);
            assert!(told(1 - index) >= 4096, "another heap's bin");
            missed(spans[index], of(index));
            assert!(told(index) == own || told(index) >= 4096);
            assert!(told(1 - index) >= 4096, "another heap's bin");
            strike(spans[index], 1);
        };
        let other = thread::spawn(move || {
            live(1);
            live(1);
        });
        live(0);
        other.join().unwrap();
        // Alone again: nothing is left of the other.
        assert!(enter(spans[0], 1, of(0), Addr(1)));
        assert!(bin_of(spans[0].granule(), heaps[0]) == BIN_STRIDE);
    });
}

/// The last of a shared place is served by the hot table again, once it was missed.
pub fn page_map_the_last_of_a_shared_place_is_shown() {
    check(3, 0, || {
        const APART: usize = 1 << 19;
        let spans = [AT, AT.offset(APART * GRANULE)];
        let of = Tag::of_span(Addr(1 << 14), 1);
        for at in spans {
            assert!(tag(at) == Tag::NONE && enter(at, 1, of, Addr(1)));
        }
        let other = thread::spawn(move || strike(spans[1], 1));
        missed(spans[0], of);
        let told = bin_of(spans[0].granule(), 1 << 14);
        assert!(told == BIN_STRIDE || told >= 4096);
        other.join().unwrap();
        missed(spans[0], of);
        assert!(bin_of(spans[0].granule(), 1 << 14) == BIN_STRIDE);
    });
}

/// A page that others enter and strike out in while it is given back: each finds what it entered until it strikes it out, and in the end
/// nothing stays.
pub fn page_map_a_page_that_goes_takes_no_entry_along() {
    check(2, 0, || {
        let struck = start();
        let purger = thread::spawn(|| drop(struck));
        live(0);
        live(1);
        purger.join().unwrap();
        nothing_stays();
    });
}

/// The same, with two that enter.
pub fn page_map_two_enter_in_a_page_that_goes() {
    check(2, 0, || {
        let struck = start();
        let other = thread::spawn(|| live(1));
        let purger = thread::spawn(|| drop(struck));
        live(0);
        other.join().unwrap();
        purger.join().unwrap();
        nothing_stays();
    });
}

/// The same, with two that give the page back: whoever comes second leaves it to the first, who then looks again.
pub fn page_map_two_give_a_page_back() {
    check(2, 0, || {
        let struck = start();
        let purger = thread::spawn(|| drop(struck));
        live(0);
        purge();
        purger.join().unwrap();
        nothing_stays();
    });
}

/// Who is handed a block reads it, while the page is given back from under its entry's place on the other side.
pub fn page_map_is_seen_while_a_page_goes() {
    check(2, 0, || {
        static BLOCK: AtomicUsize = AtomicUsize::new(0);
        assert!(BLOCK.load(Ordering::Relaxed) == 0);
        let struck = start();
        let purger = thread::spawn(|| drop(struck));
        let reader = thread::spawn(|| {
            let block = Addr(BLOCK.load(Ordering::Acquire));
            assert!(block.is_null() || (tag(block) == Tag::LARGE && record(block) == Addr(1)));
        });
        assert!(enter(AT, 1, Tag::LARGE, Addr(1)));
        BLOCK.store(AT.0, Ordering::Release);
        reader.join().unwrap();
        purger.join().unwrap();
        assert!(tag(AT) == Tag::LARGE && record(AT) == Addr(1));
    });
}

/// Enters a granule of the first page, finds it, and strikes it out.
fn live(index: usize) {
    let (at, n) = (AT.offset(index * GRANULE), index + 1);
    assert!(enter(at, 1, Tag::LARGE, Addr(n)));
    assert!(tag(at) == Tag::LARGE && record(at) == Addr(n), "lost");
    assert!(word(at).unwrap().load(Ordering::Relaxed) == n, "lost");
    strike(at, 1);
    assert!(tag(at) == Tag::NONE && record(at).is_null());
}

/// What is there before the threads are (see base/sync.rs): the leaf, its spare, every word that they use. Returns the page of `AT`, emptied
/// and pushed out of the ring, which is left empty.
fn start() -> Struck {
    /// Pages that the ring holds.
    const HELD: usize = 32;
    let other = |page: usize| {
        let at = AT.offset(page * PAGE * GRANULE);
        assert!(enter(at, 1, Tag::LARGE, Addr(1)));
        strike(at, 1)
    };
    // The first is pushed out by the last of these, and so makes the spare; then `AT`'s is next.
    drop(other(1));
    live(0);
    (2..=HELD).for_each(|page| drop(other(page)));
    live(0);
    live(1);
    let struck = other(HELD + 1);
    purge();
    struck
}

/// What a leaf has beside its entries.
const LEAF: u64 = 4096;

fn nothing_stays() {
    purge();
    assert!(resident() == LEAF, "a page stays");
}
