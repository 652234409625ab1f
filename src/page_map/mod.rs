//! Box `page_map` (L2): whose pointer is this? One tag and one record address for each 64 KiB of address space.
//! Owns: the root (512 KiB of .bss, touched where used) and 1 MiB leaves of 4 GiB each, the first in .bss, the others mapped on demand between
//! guard pages and never unmapped, but page by page given back where nothing is entered; the hot table, what `free` has to know of the granules of spans.
//! Calls: base, os, class, stats.   Called by: all above.   Locks: none.   Threads: any.   Never: fails for a lookup, whatever the pointer.

mod hot;
mod leaf;
mod pages;
mod tag;

use crate::base::addr::{Addr, GRANULE};
use crate::base::layout;
use crate::base::sync::{AtomicUsize, Ordering};
use leaf::{Entry, Side};

#[cfg(feature = "paranoid")]
pub(crate) use hot::agrees;
pub(crate) use hot::bin_of;
pub(crate) use pages::{Struck, purge, resident};
pub(crate) use tag::Tag;

pub(crate) const LAYOUT: layout::PageMap = leaf::LAYOUT;

/// The tag of the granule that holds `at`.
pub(crate) fn tag(at: Addr) -> Tag {
    match first_tag(at) {
        Tag::NONE => on_spare(at, |entry| Tag(entry.tag.load(Ordering::Relaxed))).unwrap_or(Tag::NONE),
        tag => tag,
    }
}

/// The record (span or large block) of the granule that holds `at`; null when there is none.
pub(crate) fn record(at: Addr) -> Addr {
    match first_record(at) {
        Addr::NULL => on_spare(at, |entry| Addr(entry.record.load(Ordering::Relaxed))).unwrap_or(Addr::NULL),
        record => record,
    }
}

/// `tag`, for who asks that one when this finds none: a look fewer, and mostly it is enough.
#[inline(always)]
pub(crate) fn first_tag(at: Addr) -> Tag {
    // Relaxed: the tag of a live block does not change but in `retag`, and the program handed the block over with its own
    // synchronisation.
    leaf::of(at).map_or(Tag::NONE, |leaf| Tag(leaf.on(Side::First, at).tag.load(Ordering::Relaxed)))
}

/// `record`, likewise.
#[inline(always)]
pub(crate) fn first_record(at: Addr) -> Addr {
    // Relaxed: as in `first_tag`.
    leaf::of(at).map_or(Addr::NULL, |leaf| Addr(leaf.on(Side::First, at).record.load(Ordering::Relaxed)))
}

/// The entry of the granule that holds `at`, of which `first_tag` said something.
#[inline(always)]
pub(crate) fn first_entry(at: Addr) -> Option<&'static Entry> {
    leaf::of(at).map(|leaf| leaf.on(Side::First, at))
}

#[cold]
fn on_spare<T>(at: Addr, look: impl FnOnce(&Entry) -> T) -> Option<T> {
    leaf::of(at).map(|leaf| look(leaf.on(Side::Spare, at)))
}

/// Where the record of the granule that holds `at` is kept; `None`: nowhere yet. What is no longer entered reads as zero there.
pub(crate) fn word(at: Addr) -> Option<&'static AtomicUsize> {
    entry(at).map(|entry| &entry.record)
}

/// The entry of the granule that holds `at`, if it is entered; `None`: there is nowhere one could be.
#[inline]
pub(crate) fn entry(at: Addr) -> Option<&'static Entry> {
    leaf::of(at).map(|leaf| leaf.on(leaf.side(at), at))
}

/// Whether entries for `granules` granules from `at` on can exist.
pub(crate) fn can_hold(at: Addr, granules: usize) -> bool {
    (at.0 + granules * GRANULE - 1) >> leaf::ADDRESS_BITS == 0
}

/// Makes sure that `granules` granules from `at` on can be entered. `false`: no memory for a leaf, or no addresses that have one.
pub(crate) fn prepare(at: Addr, granules: usize) -> bool {
    can_hold(at, granules) && by_page(at, granules).all(|(at, _)| leaf::is_there(at) || leaf::grow(at))
}

/// Enters `granules` granules from `at` on, which are not entered. `false`: not to be `prepare`d, nothing entered.
pub(crate) fn enter(at: Addr, granules: usize, tag: Tag, record: Addr) -> bool {
    if !prepare(at, granules) {
        return false;
    }
    let mut starts = Starts::of(tag);
    for (at, count) in by_page(at, granules) {
        let Some(leaf) = leaf::of(at) else { continue };
        let side = pages::join(leaf, at, count);
        for at in each(at, count) {
            let entry = leaf.on(side, at);
            // Relaxed, both: readers get here with a block, see `first_tag`.
            entry.record.store(record.0, Ordering::Relaxed);
            entry.tag.store(tag.0, Ordering::Relaxed);
            if starts.next() {
                match tag.is_span() {
                    true => hot::show(at.granule(), tag),
                    false => hot::count(at.granule()),
                }
            }
        }
    }
    true
}

/// Strikes out what `enter` entered, all of it. What that leaves empty may go back to the kernel once the result is dropped.
pub(crate) fn strike(at: Addr, granules: usize) -> Struck {
    let mut struck = Struck::NONE;
    let mut starts = Starts::of(tag(at));
    for (at, count) in by_page(at, granules) {
        let Some(leaf) = leaf::of(at) else { continue };
        // Entered by one `join`, so all on one side.
        let side = leaf.side(at);
        for at in each(at, count) {
            let entry = leaf.on(side, at);
            // Relaxed, all: as in `enter`.
            if starts.next() {
                hot::hide(at.granule(), Tag(entry.tag.load(Ordering::Relaxed)));
            }
            entry.record.store(Addr::NULL.0, Ordering::Relaxed);
            entry.tag.store(Tag::NONE.0, Ordering::Relaxed);
        }
        struck = pages::leave(leaf, at, side, count);
    }
    struck
}

/// Strikes out a large block but for its place in the map, to be entered there anew by `enter_left`: no atomic step each. Whose memory it was strikes
/// it out by `strike_left` before that goes to another.
pub(crate) fn leave(at: Addr) {
    let Some(entry) = entry(at) else { return };
    // Relaxed, both: as in `enter`. Who has the memory next, and so the entry, has it from who calls this.
    entry.record.store(Addr::NULL.0, Ordering::Relaxed);
    entry.tag.store(Tag::LEFT.0, Ordering::Relaxed);
}

/// `enter` where one was left. `false`: none was, and nothing is entered.
pub(crate) fn enter_left(at: Addr, tag: Tag, record: Addr) -> bool {
    // Relaxed, both: the caller has the memory, and with it what was left there.
    let Some(entry) = entry(at).filter(|entry| entry.tag.load(Ordering::Relaxed) == Tag::LEFT.0) else { return false };
    entry.record.store(record.0, Ordering::Relaxed);
    entry.renew(tag);
    true
}

/// Strikes out all that was left in `granules` granules from `at` on, the caller's. No lock is held: pages of the map may go to the kernel.
#[cold]
#[inline(never)]
pub(crate) fn strike_left(at: Addr, granules: usize) {
    for (at, count) in by_page(at, granules) {
        if leaf::of(at).is_some_and(|leaf| pages::holds(leaf, at)) {
            each(at, count).filter(|&at| tag(at) == Tag::LEFT).for_each(|at| drop(strike(at, 1)));
        }
    }
}

/// The granules from `at` on, as runs whose entries share a page each.
fn by_page(mut at: Addr, mut granules: usize) -> impl Iterator<Item = (Addr, usize)> {
    let per_page = pages::per_page();
    core::iter::from_fn(move || {
        let (start, count) = (at, granules.min(per_page - (at.granule() & (per_page - 1))));
        at = at.offset(count * GRANULE);
        granules -= count;
        (count > 0).then_some((start, count))
    })
}

fn each(at: Addr, granules: usize) -> impl Iterator<Item = Addr> {
    (0..granules).map(move |index| at.offset(index * GRANULE))
}

/// In which of the granules that are entered at once, in their order, a block starts: in all, but where a span's blocks are larger than a granule.
/// Of the others nobody asks the hot table, which is told nothing of them: it would be an atomic step each.
struct Starts {
    block: usize,
    /// From the granule that is next to the block that is next.
    ahead: usize,
}

impl Starts {
    fn of(tag: Tag) -> Starts {
        Starts { block: tag.block_size().max(GRANULE), ahead: 0 }
    }

    fn next(&mut self) -> bool {
        let here = self.ahead < GRANULE;
        self.ahead += if here { self.block } else { 0 };
        self.ahead -= GRANULE;
        here
    }
}

/// Gives granules that are entered with a span's tag another one, of the same class. The heap of the old one has no thread.
pub(crate) fn retag(at: Addr, granules: usize, tag: Tag) {
    let mut starts = Starts::of(tag);
    for at in each(at, granules) {
        let starts = starts.next();
        let Some(entry) = entry(at) else { continue };
        // Relaxed: who still sees the old one sends its block to the old owner, who passes it on.
        let old = Tag(entry.tag.swap(tag.0, Ordering::Relaxed));
        if starts {
            hot::replace(at.granule(), old, tag);
        }
    }
}

/// Told of a live block whose granule has the tag `tag` and was not served by the hot table: next time it is, if it can be.
pub(crate) fn missed(at: Addr, tag: Tag) {
    hot::settle(at.granule(), tag);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os;

    #[test]
    fn unknown_and_wild_addresses_have_no_owner() {
        for at in [0, 1, 0xDEAD_BEEF_0000, usize::MAX, 0xDEAD_BEEF_DEAD_BEEF] {
            assert!(tag(Addr(at)) == Tag::NONE && record(Addr(at)).is_null());
        }
    }

    #[test]
    fn an_entry_covers_its_granules_across_a_leaf_border_and_no_more() {
        let at = Addr((0x7A << 32) - 2 * GRANULE);
        let tag_in = Tag::of_span(Addr(0x5000), 7);
        assert!(enter(at, 4, tag_in, Addr(0x42)));
        assert!(tag(Addr(at.0 - 1)) == Tag::NONE);
        for offset in [0, 1, GRANULE, 4 * GRANULE - 1] {
            assert!(tag(at.offset(offset)) == tag_in && record(at.offset(offset)) == Addr(0x42));
        }
        assert!(tag(at.offset(4 * GRANULE)) == Tag::NONE);
        assert!((tag_in.owner(), tag_in.class_index()) == (Addr(0x5000), 7));
        strike(at, 4);
        assert!(tag(at) == Tag::NONE && record(at.offset(3 * GRANULE)).is_null());
    }

    #[test]
    fn the_hot_table_is_told_of_granules_in_which_a_block_starts() {
        // Blocks of 96 KiB: one starts in two of three granules.
        let class = crate::class::ClassId::of(96 << 10).map_or(0, |class| class.index());
        let (at, heap) = (Addr(0x79 << 32), Addr(0x5000));
        let shown = || core::array::from_fn(|n| bin_of(at.granule() + n, heap.0) == class * crate::class::BIN_STRIDE);
        assert!(enter(at, 6, Tag::of_span(heap, class), Addr(0x42)));
        assert_eq!(shown(), [true, true, false, true, true, false]);
        assert!((0..6).all(|n| tag(at.offset(n * GRANULE)) == Tag::of_span(heap, class)));
        retag(at, 6, Tag::of_span(Addr(0x9000), class));
        assert_eq!(shown(), [false; 6]);
        retag(at, 6, Tag::of_span(heap, class));
        assert_eq!(shown(), [true, true, false, true, true, false]);
        drop(strike(at, 6));
        assert_eq!(shown(), [false; 6]);
    }

    #[test]
    fn an_address_that_has_no_leaf_is_refused() {
        // Its lower bits are those of an address that has one.
        let at = Addr(0x7B << 32);
        assert!(enter(at, 1, Tag::LARGE, Addr(0x42)));
        for high in [1 << 48, 1 << 56, Addr(0).0.wrapping_sub(1 << 47)] {
            assert!(!enter(Addr(high | at.0), 1, Tag::LARGE, Addr(0x43)));
        }
        assert!(!enter(Addr((1 << 48) - GRANULE), 2, Tag::LARGE, Addr(0x43)));
        assert!(record(at) == Addr(0x42));
        drop(strike(at, 1));
    }

    #[test]
    fn an_entry_is_claimed_once_and_renewed_with_its_record() {
        let at = Addr(0x5C << 32);
        assert!(enter(at, 1, Tag::LARGE, Addr(0x42)));
        let claim = |at, tag| entry(at).is_some_and(|entry| entry.claim(tag, Tag::WAITS));
        assert!(!claim(at, Tag::GUARD) && !claim(at.offset(GRANULE), Tag::LARGE));
        for _ in 0..2 {
            assert!(claim(at, Tag::LARGE) && !claim(at, Tag::LARGE));
            assert!(tag(at) == Tag::WAITS && record(at) == Addr(0x42));
            if let Some(entry) = entry(at) {
                entry.renew(Tag::LARGE);
            }
            assert!(tag(at) == Tag::LARGE && record(at) == Addr(0x42));
        }
        drop(strike(at, 1));
    }

    #[test]
    fn what_was_left_is_entered_anew_and_struck_out() {
        let at = Addr(0x5D << 32);
        let [second, third] = [1, 300].map(|granules| at.offset(granules * GRANULE));
        assert!(enter(at, 1, Tag::LARGE, Addr(0x42)) && enter(third, 1, Tag::LARGE, Addr(0x43)));
        assert!(!enter_left(at, Tag::LARGE, Addr(0x44)) && !enter_left(second, Tag::LARGE, Addr(0x44)));
        for number in [0x45, 0x46] {
            leave(at);
            assert!(tag(at) == Tag::LEFT && record(at).is_null() && !tag(at).is_large());
            assert!(!entry(at).is_some_and(|entry| entry.claim(Tag::LARGE, Tag::WAITS)));
            assert!(enter_left(at, Tag::LARGE, Addr(number)) && record(at) == Addr(number));
        }
        // What is in use stays, and so does what lies behind.
        leave(third);
        strike_left(at, 300);
        assert!(tag(at) == Tag::LARGE && tag(third) == Tag::LEFT);
        leave(at);
        strike_left(at, 301);
        assert!([at, second, third].into_iter().all(|at| tag(at) == Tag::NONE));
        assert!(!enter_left(at, Tag::LARGE, Addr(0x47)));
    }

    #[test]
    fn a_refused_leaf_enters_nothing() {
        let at = Addr(0x6B << 32);
        // The first leaf of the process takes no request.
        assert!(prepare(Addr(0x6A << 32), 1));
        let (entered, _) = os::fake::with_plan(os::fake::Plan::RefuseNth(0), || enter(at, 1, Tag::LARGE, Addr(0x42)));
        assert!(!entered && tag(at) == Tag::NONE);
    }
}
