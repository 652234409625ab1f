//! Which SuperSlabs the kernel is to back with huge pages.
//!
//! A huge page is one fault instead of 512, and 2 MiB at once: wrong for a small process, for blocks of which only a part
//! is ever touched, and where pages go back one by one. So `auto` asks for them where a heap grows that is full to an eighth with
//! blocks of a page at most and resident to an eighth, until many had to be split, and exempts all else. What the system or the process (`prctl(PR_SET_THP_DISABLE)`)
//! refuses, the kernel refuses: this is advice.
//!
//! `bench_random_mixed 6000000 1000000 42` takes 0.31 s and 6,600 faults so, 0.46 s and 72,800 when all is exempt, and 286 MiB either way.
//! Exempting is worth it: a program of ten blocks under a system's `always` takes 1.4 MB instead of 3.4.
#![forbid(unsafe_code)]

use super::slab::{SLOTS, Slab};
use super::table::{self, SuperSlab};
use crate::base::addr::{Addr, GRANULE};
use crate::config;
use crate::os;
use crate::stats::counter::Counter;
use crate::stats::level;

/// The values of `HAKMEM_THP`, by index.
const AUTO: i64 = 0;
const ALWAYS: i64 = 1;

/// SuperSlabs from which on a heap is large: at 16 MiB, one more that nothing comes to lie in is an eighth of what is there, and half of that
/// in the mean.
const LARGE: u64 = 8;
/// A heap is dense if no more than one slot in so many holds other than small blocks, and no more than one byte in so many of theirs is not
/// resident: pages never used, as where many threads have a span of each class, or purged. What is free and resident says nothing of the
/// next SuperSlab: it is mapped for a class that can't have that, and is filled.
const PART: u64 = 8;

/// SuperSlabs made huge so far, and those that had to be split.
static MADE: Counter = Counter::new();
static SPLIT: Counter = Counter::new();

/// Whether the next SuperSlab is to be huge, which counts as made, when `superslabs` are mapped and `small` slots hold blocks no larger than a page.
pub(super) fn is_wanted(superslabs: u64, small: u64) -> bool {
    let wanted = match config::get::thp() {
        ALWAYS => true,
        AUTO => is_dense(superslabs, small, level::most_gone()) && SPLIT.get() * 2 <= MADE.get(),
        _ => false,
    };
    // Under the lock of growth.
    MADE.add_owned(wanted as u64);
    wanted
}

/// What the kernel is told of a large block's new mapping: what was chosen for all memory. `auto` leaves these to the system.
pub(crate) fn advise_large(at: Addr, bytes: usize) {
    match config::get::thp() {
        ALWAYS if config::get::hardened() != config::hardened::FULL => os::advise_huge(at, bytes, true),
        AUTO | ALWAYS => {}
        _ => os::advise_huge(at, bytes, false),
    }
}

fn is_dense(superslabs: u64, small: u64, gone: u64) -> bool {
    superslabs >= LARGE
        && small * PART >= superslabs * SLOTS as u64 * (PART - 1)
        && gone * PART <= small * GRANULE as u64
}

/// To be called before pages inside a slab go back. The slab's holder.
pub(crate) fn split_around(slab: &Slab) {
    if let Some(super_slab) = table::get(slab.id) {
        split(super_slab);
    }
}

/// Whether a slab may lie in a huge page.
pub(crate) fn is_huge(slab: &Slab) -> bool {
    table::get(slab.id).is_some_and(SuperSlab::is_huge)
}

/// Before a part of a SuperSlab is purged: a huge page would be split, and the kernel would then make it whole again.
pub(super) fn split(super_slab: &SuperSlab) {
    if super_slab.is_huge() && super_slab.swap_huge(false) {
        SPLIT.add(1);
        os::advise_huge(super_slab.base(), super_slab.bytes(), false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_large_and_dense_heaps_get_huge_pages() {
        const SMALL: u64 = LARGE * SLOTS as u64;
        const GONE: u64 = SMALL * GRANULE as u64 / PART;
        assert!(!is_dense(0, 0, 0) && !is_dense(LARGE - 1, SMALL, 0));
        assert!(is_dense(LARGE, SMALL, 0) && is_dense(LARGE, SMALL, GONE) && !is_dense(LARGE, SMALL, GONE + 1));
        assert!(is_dense(LARGE, SMALL - SMALL / PART, 0) && !is_dense(LARGE, SMALL - SMALL / PART - 1, 0));
    }
}
