//! Rust's `GlobalAlloc`.

use core::alloc::{GlobalAlloc, Layout};

use crate::front;

/// The allocator as a value: `#[global_allocator] static GLOBAL: HakMem = HakMem;`
///
/// All values are the same process-wide allocator, the one that `malloc` is when feature `override` is on.
#[derive(Clone, Copy, Debug, Default)]
pub struct HakMem;

/// Blocks are 16-aligned whatever their class.
pub(super) const NATURAL: usize = 16;

// SAFETY: blocks are fresh, of the size and alignment asked for, null when they can't be had; nothing here unwinds.
unsafe impl GlobalAlloc for HakMem {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= NATURAL {
            front::alloc(layout.size())
        } else {
            front::alloc_aligned(layout.size(), layout.align())
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        front::free_sized(block, layout.size());
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= NATURAL {
            return front::alloc_zeroed(layout.size());
        }
        let block = front::alloc_aligned(layout.size(), layout.align());
        if !block.is_null() {
            // SAFETY: a fresh block of this size.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.align() <= NATURAL {
            return front::realloc(block, size);
        }
        let fresh = front::alloc_aligned(size, layout.align());
        if !fresh.is_null() {
            // SAFETY: both blocks hold at least this many bytes and do not overlap.
            unsafe { fresh.copy_from_nonoverlapping(block, layout.size().min(size)) };
            front::free(block);
        }
        fresh
    }
}
