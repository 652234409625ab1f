//! Blocks at a multiple of more than 16 bytes.
#![forbid(unsafe_code)]

use super::{alloc, malloc, recorded, slow};
use crate::class::ClassId;

/// At least `size` bytes at a multiple of `align`, a power of two. Null with ENOMEM when they can't be had. Any thread.
pub(crate) fn alloc_aligned(size: usize, align: usize) -> *mut u8 {
    if align <= 16 {
        return alloc(size);
    }
    if let Some(mode) = slow::strict() {
        return recorded::aligned(size, align, || {
            slow::behind_gate(size, align, || slow::alloc_strict(mode, size, align))
                .map_or_else(slow::out_of_memory, |fresh| fresh.at.as_ptr())
        });
    }
    match ClassId::aligned(size, align) {
        // A block of a class that is a multiple of `align`, counted from a slab's start, which is one too.
        Some(class) => malloc::alloc_of_class(class, size, align),
        None => recorded::aligned(size, align, || {
            slow::behind_gate(size, align, || slow::try_large(size, align))
                .map_or_else(slow::out_of_memory, |fresh| fresh.at.as_ptr())
        }),
    }
}
