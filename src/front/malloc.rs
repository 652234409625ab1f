//! malloc and calloc. HOT.

use super::slow;
use crate::base::addr::Addr;
use crate::class::{self, MID_MAX};
use crate::heap::{self, Popped};
use crate::os::tls;

/// A block of at least `size` bytes, 16-aligned, if the calling thread's magazine has one; else ask `alloc_slow`.
///
/// 14 instructions for tiny and mid sizes, 17 for big ones, counted through `malloc` by scripts/count_hot_path.sh. The two are
/// written out apart: joined before the pop they cost each a jump.
#[inline(always)]
fn alloc_hit(size: usize) -> Option<Addr> {
    if size <= MID_MAX { pop(class::small_bin_offset(size)) } else { pop(class::big_bin_offset(size)?) }
}

#[inline(always)]
fn pop(bin_offset: usize) -> Option<Addr> {
    // SAFETY: the offset of a class's bin.
    match unsafe { heap::bin_at(tls::get(), bin_offset) }.pop() {
        Popped::Block(block) => Some(block),
        Popped::Empty => None,
    }
}

/// At least `size` bytes, 16-aligned; null with ENOMEM when they can't be had. Any thread.
#[inline(always)]
pub(crate) fn alloc(size: usize) -> *mut u8 {
    match alloc_hit(size) {
        Some(block) => block.as_ptr(),
        None => slow::alloc_slow(size),
    }
}

/// `alloc`, or what `fail` makes of it. A hit asks nothing twice: that it is not null is known.
#[inline(always)]
pub(crate) fn alloc_or(size: usize, fail: impl FnOnce() -> *mut u8) -> *mut u8 {
    match alloc_hit(size) {
        Some(block) => block.as_ptr(),
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

/// `alloc`, all zero.
#[inline(always)]
pub(crate) fn alloc_zeroed(size: usize) -> *mut u8 {
    match alloc_hit(size) {
        Some(block) => {
            let block: *mut u8 = block.as_ptr();
            // SAFETY: a block of at least `size` bytes, ours alone.
            unsafe { block.write_bytes(0, size) };
            block
        }
        None => slow::alloc_zeroed_slow(size),
    }
}
