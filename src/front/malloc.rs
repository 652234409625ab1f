//! malloc and calloc. HOT.
//!
//! ```text
//! alloc ─ the bin that the TLS word names pops: HIT
//! └ slow::alloc_slow
//!   ├ hardened, light: checked::quick ─ the heap's own bin pops, and the block is looked at; what has more to be done, checked::hit
//!   ├ hardened in full: full::hit ─ one of the thread's stock, looked at likewise
//!   ├ recorded: recorded::alloc ─ the heap's own bin pops, and an event is written; else as from here on
//!   ├ counted: profiled::hit ─ the heap's own bin pops, lends, or it is the turn of a sample
//!   ├ above 1 MiB: warm::alloc ─ what waits at the thread's seat
//!   ├ the baseline's: baseline::hit ─ FastCache, TLS SLL
//!   └ alloc_cold ─ behind_gate
//!     ├ counted, and to be sampled: profiled::sample
//!     ├ closed by a fork: late::alloc ─ reserve
//!     └ source::block
//!       ├ strict ─ no bytes: closed pages │ guard::sample │ light: next, looked at │ full: hardened::full, out of a stock │ large: hardened::fenced
//!       ├ of_class ─ next
//!       │ ├ T-HEAP, Pool-TLS: heap.pop_slow ─ the magazine grows, and is refilled
//!       │ ├ the baseline: baseline::alloc ─ FastCache, TLS SLL; refilled
//!       │ └ a thread without a heap: alloc_direct ─ refill, of a heap that such threads share
//!       │     refill ─ the inbox, then spans ─ an orphan's ─ what waits in open batches ─ a new span ─ shared pool
//!       └ of_large ─ large::alloc ─ a seat │ a run of slots │ the cache, whole or in pieces │ a mapping
//! ```
//!
//! What gets nothing gives back all that is idle and tries once more (`source::insist`).

use super::ask::usable_size;
use super::slow;
use crate::base::block::Block;
use crate::class::{self, ClassId, MID_MAX};
use crate::heap::{self, Popped};
use crate::os::tls;

/// A block of at least `size` bytes, 16-aligned, if the calling thread's magazine has one; else ask `alloc_slow`.
///
/// 14 instructions for tiny and mid sizes, 17 for big ones, counted through `malloc` by scripts/count_hot_path.sh. The two are
/// written out apart: joined before the pop they cost each a jump.
#[inline(always)]
fn alloc_hit(size: usize) -> Option<Block> {
    hit(tls::get, size)
}

/// The same, from the magazines that `word` names, as a TLS word does.
#[inline(always)]
pub(crate) fn hit(word: impl Fn() -> *mut u8, size: usize) -> Option<Block> {
    if size <= MID_MAX { pop(word(), class::small_bin_offset(size)) } else { pop(word(), class::big_bin_offset(size)?) }
}

/// The same, zero to the end of the block: `malloc_usable_size` bytes, as with glibc, and not only those asked for.
#[inline(always)]
fn zeroed_hit(size: usize) -> Option<Block> {
    let offset = if size <= MID_MAX { class::small_bin_offset(size) } else { class::big_bin_offset(size)? };
    let block = pop(tls::get(), offset)?;
    // SAFETY: a block of the class, ours alone.
    unsafe { block.addr().as_ptr::<u8>().write_bytes(0, class::block_size_at(offset)) };
    Some(block)
}

#[inline(always)]
fn pop(word: *mut u8, bin_offset: usize) -> Option<Block> {
    // SAFETY: the offset of a class's bin.
    match unsafe { heap::bin_at(word, bin_offset) }.pop() {
        Popped::Block(block) => Some(block),
        Popped::Empty => None,
    }
}

/// At least `size` bytes, 16-aligned; null with ENOMEM when they can't be had. Any thread.
#[inline(always)]
pub(crate) fn alloc(size: usize) -> *mut u8 {
    match alloc_hit(size) {
        Some(block) => block.into_raw(),
        None => slow::alloc_slow(size),
    }
}

/// `alloc` as a part of another call, by which it is recorded.
#[inline(always)]
pub(super) fn alloc_part(size: usize) -> *mut u8 {
    match alloc_hit(size) {
        Some(block) => block.into_raw(),
        None => slow::alloc_unrecorded(size),
    }
}

/// `alloc` of a block that is a multiple of `align` if it is of `class`, for a request of `size` bytes.
#[inline(always)]
pub(super) fn alloc_of_class(class: ClassId, size: usize, align: usize) -> *mut u8 {
    match alloc_hit(class.block_size()) {
        Some(block) => block.into_raw(),
        None => slow::alloc_aligned_slow(class, size, align),
    }
}

/// `alloc`, or what `fail` makes of it. A hit asks nothing twice: that it is not null is known.
#[inline(always)]
pub(crate) fn alloc_or(size: usize, fail: impl FnOnce() -> *mut u8) -> *mut u8 {
    match alloc_hit(size) {
        Some(block) => block.into_raw(),
        None => alloc_or_slow(size, fail),
    }
}

/// Apart from the hit, which then needs no frame.
#[cold]
#[inline(never)]
fn alloc_or_slow(size: usize, fail: impl FnOnce() -> *mut u8) -> *mut u8 {
    let block = slow::alloc_slow(size);
    if block.is_null() { fail() } else { block }
}

/// `alloc`, all zero up to its usable size.
#[inline(always)]
pub(crate) fn alloc_zeroed(size: usize) -> *mut u8 {
    match zeroed_hit(size) {
        Some(block) => block.into_raw(),
        None => slow::alloc_zeroed_slow(size),
    }
}

/// `alloc`, and how many bytes the block holds, all of them the program's. 0 with null.
#[inline(always)]
pub(crate) fn alloc_at_least(size: usize) -> (*mut u8, usize) {
    let offset = if size <= MID_MAX { Some(class::small_bin_offset(size)) } else { class::big_bin_offset(size) };
    match offset.and_then(|offset| Some((pop(tls::get(), offset)?, class::block_size_at(offset)))) {
        Some((block, bytes)) => (block.into_raw(), bytes),
        None => alloc_at_least_slow(size),
    }
}

#[cold]
#[inline(never)]
fn alloc_at_least_slow(size: usize) -> (*mut u8, usize) {
    let block = slow::alloc_slow(size);
    (block, usable_size(block).unwrap_or(0))
}
