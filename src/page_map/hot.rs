//! The hot table: the bin that a granule's blocks go back to, by the low bits of the granule's number. HOT.
//!
//! A look-up is a mask and one load, wherever the kernel maps: there is no base, no bound, and no table that may be missing.
//! What an entry does not tell is served all the same, by `free`'s slow path and the leaves.

use super::tag::Tag;
use crate::base::sync::{AtomicU64, Ordering, xor_relaxed};

/// 4 MiB of .bss, touched where used. Granules that are a multiple of 32 GiB apart share a place. Twice that, and `ls` would
/// no longer start under `ulimit -v 16384`.
const COUNT: usize = 1 << 19;
const MASK: usize = COUNT - 1;
/// No tag or granule reaches this bit.
const SHARED: u64 = 1 << 63;

/// What is known of the granules at one place that are entered in the page map, and in which a block starts: no free asks for another.
///
/// | word            | meaning                                                  | leaves by                                   |
/// |-----------------|----------------------------------------------------------|---------------------------------------------|
/// | 0               | there is none                                            | `show` → that granule's, `count` → SHARED   |
/// | tag ^ granule   | there is this one, a span's                              | another → SHARED, `hide` → 0                |
/// | SHARED \| n     | there are n; one that is no span's, or more than one at once since there was none | `show`, `count`, `hide`; of the last → 0; `settle` → that one's |
///
/// # Invariants
/// - W1: while a place holds an entry, no other granule of that place is entered.
///
/// So one compare tells all that `Tag` says, of this granule and no other: for a block that is somebody's,
/// `entry ^ granule ^ heap` is below the bins' length only if the entry is its own granule's and its owner that heap.
/// Without W1 two granules of one place and two heaps could differ by the same bits: of a process of some dozens of threads and more than
/// 32 GiB of addresses a large block would now and then be taken for a span's.
#[unsafe(link_section = ".bss.tables")] // touched here and there: see docs/ARCHITECTURE.md, section 5
static PLACES: [AtomicU64; COUNT] = [const { AtomicU64::new(0) }; COUNT];

fn place(granule: usize) -> &'static AtomicU64 {
    // SAFETY: masked to the table's length.
    unsafe { PLACES.get_unchecked(granule & MASK) }
}

fn entry(granule: usize, tag: Tag) -> u64 {
    tag.0 ^ granule as u64
}

/// `tag ^ heap` if the place of `granule` holds that granule's tag, see `Tag`; else a number above all bins.
///
/// A granule that is not entered may find another's entry: only a pointer that is no block leads here, and if this accepts
/// it, which takes a second heap at the one right distance, `span::flush` reports it.
#[inline(always)]
pub(crate) fn bin_of(granule: usize, heap: usize) -> usize {
    // Relaxed: the entry of a live block's granule does not change but to SHARED, or, when its span moves, from a heap without
    // a thread to another: until that is seen it is foreign to all. The program handed the block over
    // with its own synchronisation.
    // SAFETY: masked to the table's length.
    (unsafe { xor_relaxed(granule as u64, &PLACES, granule & MASK) }) as usize ^ heap
}

/// Enters a granule that became part of a span, and in which a block starts, before any of its blocks is handed out.
pub(super) fn show(granule: usize, tag: Tag) {
    // Tried before it is read: a page that was never written to costs one fault so, not two. Relaxed: as in `change`.
    if place(granule).compare_exchange(0, entry(granule, tag), Ordering::Relaxed, Ordering::Relaxed).is_ok() {
        return;
    }
    change(granule, |word| match word {
        0 => entry(granule, tag),
        shared if shared & SHARED != 0 => shared + 1,
        _ => SHARED | 2,
    });
}

/// Counts a granule that became something else's, before it is anybody's: no other one of its place is shown meanwhile.
pub(super) fn count(granule: usize) {
    change(granule, |word| match word {
        0 => SHARED | 1,
        shared if shared & SHARED != 0 => shared + 1,
        _ => SHARED | 2,
    });
}

/// Strikes out what `show` entered or `count` counted, once no block of it is anybody's.
pub(super) fn hide(granule: usize, tag: Tag) {
    change(granule, |word| match word {
        shared if shared & SHARED != 0 && shared != SHARED | 1 => shared - 1,
        last => {
            debug_assert!(last == SHARED | 1 || last == entry(granule, tag));
            0
        }
    });
}

/// Enters another tag for a granule that stays part of a span. No thread has the heap of the old one.
pub(super) fn replace(granule: usize, old: Tag, new: Tag) {
    change(granule, |word| if word == entry(granule, old) { entry(granule, new) } else { word });
}

fn change(granule: usize, next: impl Fn(u64) -> u64) {
    // Relaxed: whoever has a block of the granule got it through the program's synchronisation after `show`, and gave it
    // back before `hide`; between the two the word is this granule's or SHARED in any order of changes.
    let _ = place(granule).fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| Some(next(word)));
}

/// Enters a granule that is part of a span, and stays so meanwhile, if it is the last of those that shared its place.
pub(super) fn settle(granule: usize, tag: Tag) {
    let place = place(granule);
    // Relaxed, all: as in `change`. The one that is counted is this one, for it is not struck out meanwhile.
    if place.load(Ordering::Relaxed) == SHARED | 1 {
        let entry = entry(granule, tag);
        let _ = place.compare_exchange(SHARED | 1, entry, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// Whether the place of a span's granule says so, or that it is shared.
#[cfg(any(test, feature = "paranoid"))]
pub(crate) fn agrees(granule: usize, tag: Tag) -> bool {
    let word = place(granule).load(Ordering::Relaxed);
    word == entry(granule, tag) || word & SHARED != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::addr::Addr;

    const HEAP: usize = 0x7F12_3456_7000;

    fn tag_of(heap: usize, class: usize) -> Tag {
        Tag::of_span(Addr(heap), class)
    }

    #[test]
    fn an_entry_serves_its_own_heap_and_granule() {
        let granule = 0x5_4321;
        show(granule, tag_of(HEAP, 3));
        assert_eq!(bin_of(granule, HEAP), 3 * crate::class::BIN_STRIDE);
        for (other, heap) in [(granule + 1, HEAP), (granule + COUNT, HEAP), (granule, HEAP + 8192), (0, HEAP)] {
            assert!(bin_of(other, heap) >= 4096, "{other:x} {heap:x}");
        }
        hide(granule, tag_of(HEAP, 3));
        assert!(bin_of(granule, HEAP) >= 4096);
    }

    #[test]
    fn a_shared_place_serves_nobody_until_one_is_left() {
        // The other granule's heap is as far away as the granule: without W1 the first entry would be taken for it.
        let (near, far) = (0x6_4321, 0x6_4321 + COUNT);
        let (one, other) = (tag_of(HEAP, 1), tag_of(HEAP ^ COUNT, 2));
        show(near, one);
        show(far, other);
        let nobody = || [near, far].iter().all(|&granule| bin_of(granule, HEAP) >= 4096);
        assert!(nobody() && bin_of(far, HEAP ^ COUNT) >= 4096);
        settle(far, other);
        assert!(nobody());
        hide(far, other);
        assert!(nobody() && agrees(near, one));
        settle(near, one);
        assert_eq!(bin_of(near, HEAP), crate::class::BIN_STRIDE);
        show(far, other);
        hide(near, one);
        hide(far, other);
        assert_eq!(place(near).load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_large_block_is_not_taken_for_a_span_s_at_its_place() {
        let (span, large) = (0x8_4321, 0x8_4321 + COUNT);
        let is_taken = || bin_of(large, HEAP ^ COUNT) < 4096;
        for first in [span, large] {
            let enter = |granule| if granule == span { show(span, tag_of(HEAP, 1)) } else { count(large) };
            enter(first);
            enter(span + large - first);
            assert!(!is_taken() && bin_of(span, HEAP) >= 4096);
            hide(large, Tag::LARGE);
            settle(span, tag_of(HEAP, 1));
            assert_eq!(bin_of(span, HEAP), crate::class::BIN_STRIDE);
            hide(span, tag_of(HEAP, 1));
            assert_eq!(place(span).load(Ordering::Relaxed), 0);
        }
    }
}
