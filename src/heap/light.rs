//! A thread that hardly allocates gets no heap: its first few calls are served by the shared one, through that one's lock. A heap is some pages of
//! records, and a page of each class that it serves: 24 KiB for one block, 69 for ten of ten sizes.
//!
//! Before there is a heap the TLS word names zeroes, in which every magazine reads as one of no capacity. How many calls there were is how far
//! into these it points.
#![forbid(unsafe_code)]

use super::{lifecycle, metered};
use crate::base::addr::Addr;
use crate::class::{BIN_STRIDE, CLASSES};
use crate::os::tls;

/// Calls, allocating and freeing, that a thread makes before it gets a heap.
const CALLS: usize = 12;
const STEP: usize = 8;
/// How far into the zeroes a word may point.
pub(super) const REACH: usize = CALLS * STEP;

/// How many calls a thread has made whose TLS word this is; `None` when it has, or had, a heap.
#[inline(always)]
pub(super) fn calls_of(word: *mut u8) -> Option<usize> {
    let offset = Addr::of(word).since(Addr::of(&raw const tls::NO_HEAP));
    (offset <= REACH).then_some(offset / STEP)
}

/// Whether the calling thread, which has no heap, is to do without for this call; counts it. The process's first thread gets its heap at once.
pub(crate) fn does_without() -> bool {
    let word = tls::get();
    match calls_of(word) {
        // Profiled or recorded, all of its calls are to be counted: in its heap.
        Some(calls) if calls < CALLS && lifecycle::is_any_born() && !metered::is_wanted() => {
            tls::set(word.wrapping_add(STEP));
            true
        }
        _ => false,
    }
}

const _: () = assert!(
    REACH + CLASSES * BIN_STRIDE <= size_of_val(&tls::NO_HEAP),
    "the last bin lies in the zeroes, wherever the word points"
);
