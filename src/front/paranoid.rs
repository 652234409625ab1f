//! Feature `paranoid`: after every Nth slow path all boxes are walked, and the first broken invariant ends the process with
//! a line that names it. N is PARANOID_EVERY at build time, or 1.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use errno::{errno, set_errno};

use crate::baseline;
use crate::hardened;
use crate::heap::{self, Current};
use crate::large;
use crate::meta;
use crate::os;
use crate::superslab;

const EVERY: u64 = match option_env!("PARANOID_EVERY") {
    Some(text) => match u64::from_str_radix(text, 10) {
        Ok(every) if every > 0 => every,
        _ => panic!("PARANOID_EVERY is not a number"),
    },
    None => 1,
};
/// Of the walks, one in so many looks at all heaps, not only at the caller's.
const ALL_HEAPS: u64 = 64;

static SLOW_PATHS: AtomicU64 = AtomicU64::new(0);

/// At the end of a slow path, with no lock held.
pub(super) fn after_slow_path() {
    // Relaxed: only counts.
    let turn = SLOW_PATHS.fetch_add(1, Ordering::Relaxed);
    if turn % EVERY == 0 {
        let saved = errno();
        walk(turn / EVERY);
        set_errno(saved);
    }
}

fn walk(turn: u64) {
    if let Current::Heap(heap) = heap::current() {
        heap.check();
        baseline::check(heap);
    }
    let alone = os::is_alone();
    if turn % ALL_HEAPS == 0 {
        heap::check_registry();
        heap::each_heap(|heap| heap.check_spans());
    }
    superslab::check(alone);
    large::check_cache(alone, hardened::waiting_bytes());
    meta::check();
}
