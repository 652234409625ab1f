//! Which SuperSlabs the kernel may back with huge pages.
//!
//! A huge page is one fault instead of 512, and 2 MiB at once: wrong for a small process, for blocks of which only a part
//! is ever touched, and where pages go back one by one. So `auto` exempts what is not part of a large heap full of tiny
//! blocks, for where the system gives huge pages to everybody; what is part of one is left to the system, until one had
//! to be split. What the system or the process (`prctl(PR_SET_THP_DISABLE)`) refuses, the kernel refuses: this is advice.
//!
//! `auto` does not ask for them. Measured with bench_random_mixed 6000000 1000000 42: 35,000 faults instead of 73,000,
//! but 0.27 to 0.49 s in the kernel instead of 0.18 to 0.20 (five alternating runs on a busy virtual machine; in two
//! runs before these it was 0.13 instead of 0.16 to 0.19), and five phases of 200 MiB took 2.2 s there instead of 0.5.
//! Exempting is worth it: a program of ten blocks under a system's `always` takes 1.4 MB instead of 3.4.
#![forbid(unsafe_code)]

use super::slab::{SLOTS, Slab};
use super::table::{self, SuperSlab};
use crate::config;
use crate::os;
use crate::stats::counter::Counter;

/// The values of `HAKMEM_THP`, by index.
const AUTO: i64 = 0;
const ALWAYS: i64 = 1;

/// What the kernel is told about a new SuperSlab.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Advice {
    Exempt,
    /// Nothing: as the system is set.
    Leave,
    Ask,
}

/// SuperSlabs from which on a heap is large: at 128 MiB, one more is at most 1.6 % of what is there.
const LARGE: u64 = 64;
/// Slots of 8 that must hold tiny blocks.
const DENSE: u64 = 7;

/// Huge SuperSlabs that had to be split so far.
static SPLIT: Counter = Counter::new();

/// What the next SuperSlab is to be, when `superslabs` are mapped and `tiny` slots hold tiny blocks.
pub(super) fn advice(superslabs: u64, tiny: u64) -> Advice {
    match config::get::thp() {
        ALWAYS => Advice::Ask,
        AUTO if is_dense(superslabs, tiny) && SPLIT.get() == 0 => Advice::Leave,
        _ => Advice::Exempt,
    }
}

fn is_dense(superslabs: u64, tiny: u64) -> bool {
    superslabs >= LARGE && tiny * 8 >= superslabs * SLOTS as u64 * DENSE
}

/// To be called before pages inside a slab go back. The slab's holder.
pub(crate) fn split_around(slab: &Slab) {
    if let Some(super_slab) = table::get(slab.id) {
        split(super_slab);
    }
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
        assert!(!is_dense(0, 0) && !is_dense(LARGE - 1, LARGE * 32));
        assert!(is_dense(LARGE, LARGE * 28) && !is_dense(LARGE, LARGE * 28 - 1));
        assert!(is_dense(10_000, 320_000) && !is_dense(10_000, 160_000));
    }
}
