//! Which pages of leaves hold entries. Those that no longer do go back to the kernel, so that the map is as large as what is
//! live, not as all that ever was.
//!
//! A page is given back by a call of the kernel, and a call can't be made to depend on what another thread does meanwhile: an entry
//! made during it would be lost. Nobody can wait for it to end either: the reserve enters blocks while a fork is on, and a signal's
//! handler may have interrupted the very thread that is at it (to block signals is a system call that a sandbox may kill
//! for). So leaves have every page twice. While the first is given back, who enters uses the spare; readers look there when they
//! find nothing in the first. Nobody ever waits, and a child of fork in which a page is being given back for ever only
//! never gets that page back.
#![forbid(unsafe_code)]

use super::leaf::{self, Leaf, PAGES, Side};
use crate::base::addr::{Addr, GRANULE};
use crate::base::sync::{AtomicU32, Ordering};
use crate::os;
use crate::stats::counter::Counter;

/// What is known of one page of entries and its spare.
///
/// | bits   | meaning                                                                       |
/// |--------|-------------------------------------------------------------------------------|
/// | 0..13  | entries in the first                                                          |
/// | 13..26 | entries in the spare                                                          |
/// | 26, 27 | whether the first, the spare, was written to since it last went back          |
/// | 28, 29 | whether the first, the spare, is being given back: entered is only in the other |
/// | 30     | whether it is in the ring of the emptied, or on its way out of there          |
///
/// # Invariants
/// - P1: an entry is counted before it is written, and until it is zeroed.
/// - P2: of the two at most one is being given back, and that one has no entries.
type Word = u32;

const COUNT: Word = (1 << 13) - 1;
const LISTED: Word = 1 << 30;

impl Side {
    fn shift(self) -> u32 {
        if self == Side::First { 0 } else { 13 }
    }

    fn count(self, word: Word) -> Word {
        word >> self.shift() & COUNT
    }

    fn touched(self) -> Word {
        if self == Side::First { 1 << 26 } else { 1 << 27 }
    }

    fn goes(self) -> Word {
        if self == Side::First { 1 << 28 } else { 1 << 29 }
    }
}

/// Pages that were written to.
static TOUCHED: Counter = Counter::new();

/// Pages that lost their last entry stay until so many others have: the block that comes and goes again, or the few of a
/// program's working set, cost no call and no fault. `HELD` pages are 128 KiB; 2 MiB with the largest pages.
const HELD: usize = 32;
static EMPTIED: [AtomicU32; HELD] = [const { AtomicU32::new(0) }; HELD];
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A page among all pages of all leaves, from 1 on; 0 is none.
#[derive(Clone, Copy)]
struct Number(u32);

impl Number {
    fn of(at: Addr) -> Number {
        Number((leaf::index(at) * PAGES + page_of(at)) as u32 + 1)
    }

    /// The first address whose granule's entry is in that page.
    fn start(self) -> Option<Addr> {
        let index = self.0.checked_sub(1)? as usize;
        Some(Addr((index / PAGES) << 32).offset(index % PAGES * per_page() * GRANULE))
    }
}

/// Granules whose entries share a page.
pub(super) fn per_page() -> usize {
    os::page_size() / size_of::<leaf::Entry>()
}

fn page_of(at: Addr) -> usize {
    (at.granule() & 0xFFFF) >> per_page().trailing_zeros()
}

fn word(leaf: &Leaf, at: Addr) -> Option<&AtomicU32> {
    leaf.pages.get(page_of(at))
}

/// Counts `count` entries, all in the page of `at`, that are about to be made, and says on which side.
pub(super) fn join(leaf: &Leaf, at: Addr, count: usize) -> Side {
    let side = |word: Word| if word & Side::First.goes() == 0 { Side::First } else { Side::Spare };
    let next = |word: Word| Some((word + ((count as Word) << side(word).shift())) | side(word).touched());
    // Acquire pairs with the Release in `end`: what is written now comes after the page went; and with that in `begin`: the spare
    // is there. Relaxed on failure: tried again.
    let old = word(leaf, at).and_then(|word| word.fetch_update(Ordering::Acquire, Ordering::Relaxed, next).ok());
    let old = old.unwrap_or(0);
    if old & side(old).touched() == 0 {
        TOUCHED.add(1);
    }
    side(old)
}

/// Counts out `count` entries of one side, all in the page of `at`, that were zeroed.
pub(super) fn leave(leaf: &Leaf, at: Addr, side: Side, count: usize) -> Struck {
    let left = |word: Word| word.wrapping_sub((count as Word) << side.shift());
    let next = |word: Word| {
        debug_assert!(side.count(word) as usize >= count);
        Some(if side.count(left(word)) == 0 { left(word) | LISTED } else { left(word) })
    };
    // Release pairs with the Acquire in `begin`: the zeroes were written before the page goes. Relaxed on failure: tried again.
    let old = word(leaf, at).and_then(|word| word.fetch_update(Ordering::Release, Ordering::Relaxed, next).ok());
    match old {
        Some(old) if side.count(left(old)) == 0 && old & LISTED == 0 => list(Number::of(at)),
        _ => Struck(Number(0)),
    }
}

/// Whether there are entries in the page of `at`.
pub(super) fn holds(leaf: &Leaf, at: Addr) -> bool {
    // Relaxed: of the caller's own entries, which are counted, and stay so meanwhile.
    let word = word(leaf, at).map_or(0, |word| word.load(Ordering::Relaxed));
    [Side::First, Side::Spare].into_iter().any(|side| side.count(word) > 0)
}

/// Puts a page into the ring of the emptied, in the place of the one that has been there longest.
fn list(page: Number) -> Struck {
    // Relaxed: two that get the same place push one out early.
    let next = NEXT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| Some(next.wrapping_add(1))).unwrap_or(0);
    let place = EMPTIED.get(next as usize % HELD);
    // AcqRel: who takes a number out sees the leaf of who put it in.
    Struck(Number(place.map_or(0, |place| place.swap(page.0, Ordering::AcqRel))))
}

/// What striking out pushed out of the ring: dropped, it goes back to the kernel if it is still empty. Who holds a lock drops it later.
pub(crate) struct Struck(Number);

impl Struck {
    pub(super) const NONE: Struck = Struck(Number(0));
}

impl Drop for Struck {
    fn drop(&mut self) {
        if self.0.0 != 0 {
            give_back(self.0);
        }
    }
}

/// Gives the pages of the ring back, without taking more address space for it: whoever asks may be short of that. Returns their bytes.
pub(crate) fn purge() -> usize {
    let mut given = 0;
    for place in &EMPTIED {
        // Acquire pairs with the Release in `list`.
        let page = Number(place.load(Ordering::Acquire));
        let can_go = page.start().and_then(leaf::of).is_some_and(|leaf| leaf.spare().is_some());
        // Relaxed, both: seen above, or another page's by now, which stays.
        if can_go && place.compare_exchange(page.0, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            given += give_back(page);
        }
    }
    given
}

/// Bytes of the map that are resident, at most. Any thread.
pub(crate) fn resident() -> u64 {
    TOUCHED.get() * os::page_size() as u64 + leaf::overhead()
}

/// Gives a page back that was listed, and its spare, as far as they are empty. Returns bytes.
#[cold]
fn give_back(page: Number) -> usize {
    let Some((at, leaf)) = page.start().and_then(|at| Some((at, leaf::of(at)?))) else { return 0 };
    let Some(word) = word(leaf, at) else { return 0 };
    // Unlisted first: who empties it from now on lists it again. Relaxed: orders nothing.
    let _ = word.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| Some(word & !LISTED));
    if !leaf.map_spare() {
        return 0;
    }
    let mut given = 0;
    // Again as long as there is something: who was listed meanwhile may have found this one at it.
    while let Some(side) = begin(word) {
        let gone = os::purge(leaf.page(side, at), os::page_size());
        end(word, side, gone);
        if !gone {
            break;
        }
        given += os::page_size();
    }
    given
}

/// From now on nobody enters anything on the side that is returned; `None`: neither is empty and touched, or another thread is at it.
fn begin(word: &AtomicU32) -> Option<Side> {
    let goes = Side::First.goes() | Side::Spare.goes();
    let empty = |word: Word| {
        let is_empty = |side: &Side| word & goes == 0 && word & side.touched() != 0 && side.count(word) == 0;
        [Side::First, Side::Spare].into_iter().find(is_empty)
    };
    let next = |word: Word| empty(word).map(|side| (word & !side.touched()) | side.goes());
    // Acquire pairs with the Release in `leave`, Release with the Acquire in `join`. Relaxed on failure: tried again.
    word.fetch_update(Ordering::AcqRel, Ordering::Relaxed, next).ok().and_then(empty)
}

fn end(word: &AtomicU32, side: Side, gone: bool) {
    let next = |word: Word| Some((word & !side.goes()) | if gone { 0 } else { side.touched() });
    // Release pairs with the Acquire in `join`. Relaxed on failure: tried again.
    let _ = word.fetch_update(Ordering::Release, Ordering::Relaxed, next);
    if gone {
        TOUCHED.sub(1);
    }
}

const _: () = assert!((64 << 10) / size_of::<leaf::Entry>() <= COUNT as usize, "a page's entries can be counted");

#[cfg(test)]
mod tests {
    use super::super::{Tag, enter, record, strike, tag, word as record_word};
    use super::*;
    use os::fake::{Plan, with_plan};

    /// The ring is one for all: what a test lists would be pushed out by another.
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

    /// 4 GiB that no other test enters anything in, and the ring.
    fn quarter(n: usize) -> (Addr, std::sync::MutexGuard<'static, ()>) {
        (Addr((0x4000 + n) << 32), ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    fn word_at(at: Addr) -> Word {
        leaf::of(at).and_then(|leaf| word(leaf, at)).map_or(0, |word| word.load(Ordering::Relaxed))
    }

    fn is_touched(at: Addr) -> bool {
        word_at(at) & (Side::First.touched() | Side::Spare.touched()) != 0
    }

    fn is_entered(at: Addr, n: usize) -> bool {
        let word = record_word(at).map(|word| word.load(Ordering::Relaxed));
        tag(at) == Tag::LARGE && record(at) == Addr(n) && word == Some(n)
    }

    /// Bytes of entries that share a page, in addresses.
    fn reach() -> usize {
        per_page() * GRANULE
    }

    #[test]
    fn emptied_pages_go_back_but_the_last_few() {
        let (start, _alone) = quarter(0);
        let at = |n: usize| start.offset(n * reach());
        let count = (1 << 32) / reach();
        let was = resident();
        for n in 0..count {
            assert!(enter(at(n), 1, Tag::LARGE, Addr(n + 1)) && is_entered(at(n), n + 1));
            drop(strike(at(n), 1));
            assert!(tag(at(n)) == Tag::NONE && record(at(n)).is_null());
        }
        // Other boxes' tests may push some of these out of the ring.
        assert!((0..count).filter(|&n| is_touched(at(n))).count() <= HELD);
        assert!(resident() < was + ((HELD + 200) * os::page_size()) as u64);
        purge();
        assert!(!is_touched(at(count - 1)));
    }

    #[test]
    fn a_page_with_an_entry_stays() {
        let (at, _alone) = quarter(1);
        let len = per_page() + 3;
        assert!(enter(at, len, Tag::LARGE, Addr(7)) && enter(at.offset(len * GRANULE), 1, Tag::LARGE, Addr(8)));
        drop(strike(at, len));
        assert_eq!(give_back(Number::of(at)), os::page_size());
        let second = at.offset(len * GRANULE);
        assert_eq!(give_back(Number::of(second)), 0);
        assert!(is_entered(second, 8) && tag(at) == Tag::NONE);
        // Once more in the page that went.
        assert!(enter(at, 1, Tag::LARGE, Addr(9)) && is_entered(at, 9));
        drop(strike(at, 1));
        drop(strike(second, 1));
        assert_eq!((give_back(Number::of(at)), give_back(Number::of(second))), (os::page_size(), os::page_size()));
        assert!(!is_touched(at) && !is_touched(second));
    }

    #[test]
    fn what_is_entered_while_a_page_goes_is_found_and_struck_out() {
        let (at, _alone) = quarter(2);
        let next = at.offset(GRANULE);
        assert!(enter(at, 1, Tag::LARGE, Addr(1)));
        drop(strike(at, 1));
        let leaf = leaf::of(at).unwrap();
        let word = word(leaf, at).unwrap();
        assert!(leaf.map_spare());
        // The first goes, as if another thread were at it.
        assert!(begin(word) == Some(Side::First));
        assert!(enter(at, 1, Tag::LARGE, Addr(2)) && is_entered(at, 2));
        let owner = Tag::of_span(Addr(0x5000), 7);
        assert!(enter(next, 1, owner, Addr(3)) && tag(next) == owner);
        super::super::retag(next, 1, Tag::of_span(Addr(0x9000), 7));
        assert!(tag(next) == Tag::of_span(Addr(0x9000), 7) && record(next) == Addr(3));
        // And is of no help to others meanwhile.
        assert!(begin(word).is_none());
        assert!(os::purge(leaf.page(Side::First, at), os::page_size()));
        assert!(is_entered(at, 2));
        end(word, Side::First, true);
        // From here on there are entries on both sides, and each is found on its own.
        drop(strike(next, 1));
        assert!(enter(next, 1, Tag::LARGE, Addr(4)) && is_entered(next, 4) && is_entered(at, 2));
        drop(strike(at, 1));
        assert!(tag(at) == Tag::NONE && is_entered(next, 4));
        assert_eq!(give_back(Number::of(at)), os::page_size());
        assert!(is_entered(next, 4));
        drop(strike(next, 1));
        assert_eq!(give_back(Number::of(at)), os::page_size());
        assert!(!is_touched(at) && begin(word).is_none());
    }

    #[test]
    fn a_refused_call_leaves_all_as_it_was() {
        let (at, _alone) = quarter(3);
        assert!(enter(at, 1, Tag::LARGE, Addr(1)));
        drop(strike(at, 1));
        // The spare, its guard pages, the purge.
        for n in 0..4 {
            let (given, seen) = with_plan(Plan::RefuseNth(n), || give_back(Number::of(at)));
            assert!(seen > 0 && (given == 0) == is_touched(at), "request {n}");
            assert!(enter(at, 1, Tag::LARGE, Addr(1)) && is_entered(at, 1));
            drop(strike(at, 1));
        }
        let (given, _) = with_plan(Plan::RefuseFrom(0), || give_back(Number::of(at)));
        assert!(given == 0 && is_touched(at));
        assert_eq!(give_back(Number::of(at)), os::page_size());
    }

    #[test]
    fn a_purge_takes_no_addresses() {
        let (at, _alone) = quarter(4);
        assert!(enter(at, 1, Tag::LARGE, Addr(1)));
        drop(strike(at, 1));
        purge();
        let leaf = leaf::of(at).unwrap();
        assert!(leaf.spare().is_none() && is_touched(at));
    }

    #[test]
    fn threads_enter_and_strike_out_while_pages_go() {
        let (start, _alone) = quarter(5);
        let turns = if cfg!(miri) { 20 } else { 20_000 };
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || {
                    for turn in 0..turns {
                        // All in one page, at its end and over it.
                        let at = start.offset((per_page() - 4 + thread * 2) * GRANULE);
                        assert!(enter(at, 2, Tag::LARGE, Addr(turn + 1)));
                        assert!(is_entered(at, turn + 1) && is_entered(at.offset(GRANULE), turn + 1));
                        drop(strike(at, 2));
                        assert!(tag(at) == Tag::NONE && record(at).is_null());
                        if turn % 3 == 0 {
                            give_back(Number::of(at));
                        }
                    }
                });
            }
        });
        for page in [0, 1].map(|page| start.offset(page * reach())) {
            give_back(Number::of(page));
            assert_eq!(word_at(page) & !LISTED, 0);
        }
    }
}
