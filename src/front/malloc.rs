//! malloc and calloc. HOT.

use super::slow;
use crate::base::addr::Addr;
use crate::class::ClassId;
use crate::heap::{self, Popped};
use crate::os::tls;
use crate::page_map::BIN_STRIDE;

/// A block of at least `size` bytes, 16-aligned, if the calling thread's magazine has one; else ask `alloc_slow`.
///
/// 16 instructions for tiny sizes, 22 for mid ones, counted through `malloc` by scripts/count_hot_path.sh.
#[inline(always)]
pub(crate) fn alloc_hit(size: usize) -> Option<Addr> {
    let class = ClassId::of(size)?;
    // SAFETY: a ClassId's index is below CLASSES.
    match unsafe { heap::bin_at(tls::get(), class.index() * BIN_STRIDE) }.pop() {
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
