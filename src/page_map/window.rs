//! The window: tags of the 32 GiB where slabs are most likely to be, in one flat array. HOT.
//!
//! A look-up is a subtraction, a bound and one load, with no table that may be missing: 3 instructions and a dependent
//! load less in each `free` than through the leaves. What lies outside is served all the same, by `free`'s slow path.

use super::Tag;
use crate::base::addr::{Addr, GRANULE_SHIFT};
use crate::base::sync::{AtomicU64, AtomicUsize, Ordering};

/// 32 GiB: 4 MiB of .bss, touched where used. Twice that, and `ls` would no longer start under `ulimit -v 16384`.
const GRANULES: usize = 1 << 19;
/// The kernel maps downwards, so most of the window lies below the first slab.
const ABOVE: usize = GRANULES / 16;

/// Number of the window's first granule; 0 until the first slab.
static START: AtomicUsize = AtomicUsize::new(0);
static TAGS: [AtomicU64; GRANULES] = [const { AtomicU64::new(0) }; GRANULES];

/// The tag of the granule that holds `at`; `None` outside of the window, whatever is there.
#[inline(always)]
pub(crate) fn hot_tag(at: Addr) -> Option<Tag> {
    // Relaxed, both: as in `super::tag`. START moves once, before the first block is handed out.
    let index = (at.0 >> GRANULE_SHIFT).wrapping_sub(START.load(Ordering::Relaxed));
    if index < GRANULES {
        // SAFETY: tested.
        return Some(Tag(unsafe { TAGS.get_unchecked(index) }.load(Ordering::Relaxed)));
    }
    None
}

/// Puts the window around `at` if it is nowhere yet.
pub(super) fn open(at: Addr) {
    // Relaxed: see `hot_tag`. Of two first slabs one wins.
    if START.load(Ordering::Relaxed) == 0 {
        let start = (at.0 >> GRANULE_SHIFT).saturating_sub(GRANULES - ABOVE).max(1);
        let _ = START.compare_exchange(0, start, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// Enters or strikes out tags, as far as they are in the window.
pub(super) fn write(at: Addr, granules: usize, tag: Tag) {
    let first = (at.0 >> GRANULE_SHIFT).wrapping_sub(START.load(Ordering::Relaxed));
    for index in 0..granules {
        if let Some(slot) = TAGS.get(first.wrapping_add(index)) {
            // Relaxed: as in `super::write`.
            slot.store(tag.0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::addr::GRANULE;

    #[test]
    fn the_window_shows_what_the_leaves_hold() {
        open(Addr(0x7E57 << 32));
        // Wherever another test opened it: the last granules but one of the window.
        let base = Addr((START.load(Ordering::Relaxed) + GRANULES - 2) << GRANULE_SHIFT);
        assert!(super::super::enter(base, 3, Tag::of_span(Addr(0x9000), 3), Addr(0x42)));
        for index in 0..4 {
            let at = base.offset(index * GRANULE + 17);
            assert!(hot_tag(at) == (index < 2).then(|| super::super::tag(at)), "{index}");
        }
        super::super::strike(base, 3);
        assert!(hot_tag(base) == Some(Tag::NONE));
        for at in [0, 1, usize::MAX, 0xDEAD_BEEF_DEAD_BEEF] {
            assert!(hot_tag(Addr(at)).is_none_or(|tag| tag == Tag::NONE));
        }
    }
}
