//! Blocks at a multiple of more than 16 bytes.
#![forbid(unsafe_code)]

use super::source::Mode;
use super::{malloc, slow};
use crate::class::ClassId;

/// At least `size` bytes at a multiple of `align`, a power of two. Null with ENOMEM when they can't be had. Any thread.
pub(crate) fn alloc_aligned(size: usize, align: usize) -> *mut u8 {
    if align <= 16 {
        return malloc::alloc(size);
    }
    if Mode::is_strict() {
        return slow::alloc_aligned_cold(size, align);
    }
    match ClassId::aligned(size, align) {
        // A block of a class that is a multiple of `align`, counted from a slab's start, which is one too.
        Some(class) => malloc::alloc_of_class(class, size, align),
        None => slow::alloc_aligned_cold(size, align),
    }
}
