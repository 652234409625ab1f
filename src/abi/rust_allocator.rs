//! `Allocator`, as the crate `allocator-api2` mirrors it on stable Rust, or as the standard has it (feature `nightly`): blocks with all the bytes
//! that they really hold.

#[cfg(not(feature = "nightly"))]
use allocator_api2::alloc::{AllocError, Allocator};
#[cfg(feature = "nightly")]
use core::alloc::{AllocError, Allocator};

use core::alloc::Layout;
use core::ptr::{self, NonNull};

use super::rust::{HakMem, NATURAL};
use super::rust_arena::{Arena, Handle, SharedArena};
use crate::arena;
use crate::front;

type Got = Result<NonNull<[u8]>, AllocError>;

/// Where an allocator's blocks come from. Sizes are not 0.
trait Source {
    /// A block, and how many bytes it holds; null: there is none.
    fn take(&self, size: usize, align: usize) -> (*mut u8, usize);

    /// The same, all zero.
    fn take_zeroed(&self, size: usize, align: usize) -> (*mut u8, usize);

    /// # Safety
    /// `block` is one of this source's, `NATURAL`ly aligned and to stay so.
    unsafe fn resize(&self, block: *mut u8, size: usize) -> (*mut u8, usize);

    /// # Safety
    /// `block` is one of this source's, and `size` what was asked for, or said, or between.
    unsafe fn give(&self, block: *mut u8, size: usize);
}

impl Source for HakMem {
    #[inline]
    fn take(&self, size: usize, align: usize) -> (*mut u8, usize) {
        if align <= NATURAL { front::alloc_at_least(size) } else { measured(front::alloc_aligned(size, align)) }
    }

    #[inline]
    fn take_zeroed(&self, size: usize, align: usize) -> (*mut u8, usize) {
        if align <= NATURAL { measured(front::alloc_zeroed(size)) } else { cleared(front::alloc_aligned(size, align)) }
    }

    #[inline]
    unsafe fn resize(&self, block: *mut u8, size: usize) -> (*mut u8, usize) {
        measured(front::realloc(block, size))
    }

    #[inline]
    unsafe fn give(&self, block: *mut u8, size: usize) {
        front::free_sized(block, size);
    }
}

impl Source for Handle {
    #[inline]
    fn take(&self, size: usize, align: usize) -> (*mut u8, usize) {
        measured(self.take(size, align))
    }

    #[inline]
    fn take_zeroed(&self, size: usize, align: usize) -> (*mut u8, usize) {
        if align > NATURAL {
            return cleared(self.take(size, align));
        }
        // SAFETY: R1. So below.
        measured(unsafe { arena::alloc_zeroed(self.word(), size) })
    }

    #[inline]
    unsafe fn resize(&self, block: *mut u8, size: usize) -> (*mut u8, usize) {
        // SAFETY: R1, and as the caller says.
        measured(unsafe { arena::realloc(self.word(), block, size) })
    }

    #[inline]
    unsafe fn give(&self, block: *mut u8, _size: usize) {
        // SAFETY: R1, and as the caller says.
        unsafe { arena::free(self.word(), block) };
    }
}

fn measured(block: *mut u8) -> (*mut u8, usize) {
    (block, front::usable_size(block).unwrap_or(0))
}

fn cleared(block: *mut u8) -> (*mut u8, usize) {
    let (block, bytes) = measured(block);
    if !block.is_null() {
        // SAFETY: a fresh block of so many bytes.
        unsafe { block.write_bytes(0, bytes) };
    }
    (block, bytes)
}

fn got((block, bytes): (*mut u8, usize)) -> Got {
    NonNull::new(block).map(|block| NonNull::slice_from_raw_parts(block, bytes)).ok_or(AllocError)
}

/// What a size of 0 gets.
fn nothing(layout: Layout) -> NonNull<[u8]> {
    // An alignment is no null.
    let dangling = NonNull::new(ptr::without_provenance_mut(layout.align())).unwrap_or(NonNull::dangling());
    NonNull::slice_from_raw_parts(dangling, 0)
}

#[inline]
fn allocate(from: &impl Source, layout: Layout) -> Got {
    if layout.size() == 0 { Ok(nothing(layout)) } else { got(from.take(layout.size(), layout.align())) }
}

#[inline]
fn allocate_zeroed(from: &impl Source, layout: Layout) -> Got {
    if layout.size() == 0 { Ok(nothing(layout)) } else { got(from.take_zeroed(layout.size(), layout.align())) }
}

/// # Safety
/// `block` is one of the source's that `layout` fits.
#[inline]
unsafe fn deallocate(from: &impl Source, block: NonNull<u8>, layout: Layout) {
    if layout.size() != 0 {
        // SAFETY: as the caller says: a size that fits is one that was asked for, or said, or between.
        unsafe { from.give(block.as_ptr(), layout.size()) };
    }
}

/// Grows or shrinks: the bytes that both sizes have are kept.
///
/// # Safety
/// `block` is one of the source's that `old` fits.
#[inline]
unsafe fn resize(from: &impl Source, block: NonNull<u8>, old: Layout, new: Layout) -> Got {
    if old.size() != 0 && new.size() != 0 && old.align().max(new.align()) <= NATURAL {
        // SAFETY: as the caller says, and no more alignment is asked for than every block has.
        return got(unsafe { from.resize(block.as_ptr(), new.size()) });
    }
    let fresh = allocate(from, new)?;
    let kept = old.size().min(new.size());
    // SAFETY: both hold at least as many bytes, and a fresh block overlaps none in use.
    unsafe { fresh.cast::<u8>().copy_from_nonoverlapping(block, kept) };
    // SAFETY: as the caller says.
    unsafe { deallocate(from, block, old) };
    Ok(fresh)
}

/// The same, and what is behind the old size is zero.
///
/// # Safety
/// As for `resize`, and `new` is no smaller than `old`.
#[inline]
unsafe fn grow_zeroed(from: &impl Source, block: NonNull<u8>, old: Layout, new: Layout) -> Got {
    // SAFETY: as the caller says.
    let grown = unsafe { resize(from, block, old, new) }?;
    // SAFETY: `old.size()` bytes are no more than the block has.
    let behind = unsafe { grown.cast::<u8>().add(old.size()) };
    // SAFETY: so many are left of it.
    unsafe { behind.write_bytes(0, grown.len() - old.size()) };
    Ok(grown)
}

macro_rules! allocator {
    ($type:ty, $itself:ident => $source:expr) => {
        // SAFETY: blocks are of the size and alignment asked for, and stay as they are until they are given back, whatever is moved: all values of
        // the type are the same source, or borrow it, and what is borrowed can't be reset or dropped.
        unsafe impl Allocator for $type {
            #[inline]
            fn allocate(&$itself, layout: Layout) -> Got {
                allocate($source, layout)
            }

            #[inline]
            fn allocate_zeroed(&$itself, layout: Layout) -> Got {
                allocate_zeroed($source, layout)
            }

            #[inline]
            unsafe fn deallocate(&$itself, block: NonNull<u8>, layout: Layout) {
                // SAFETY: as the caller says. So below.
                unsafe { deallocate($source, block, layout) }
            }

            #[inline]
            unsafe fn grow(&$itself, block: NonNull<u8>, old: Layout, new: Layout) -> Got {
                // SAFETY: see above.
                unsafe { resize($source, block, old, new) }
            }

            #[inline]
            unsafe fn grow_zeroed(&$itself, block: NonNull<u8>, old: Layout, new: Layout) -> Got {
                // SAFETY: see above.
                unsafe { grow_zeroed($source, block, old, new) }
            }

            #[inline]
            unsafe fn shrink(&$itself, block: NonNull<u8>, old: Layout, new: Layout) -> Got {
                // SAFETY: see above.
                unsafe { resize($source, block, old, new) }
            }
        }
    };
}

allocator!(HakMem, self => self);
allocator!(&Arena, self => self.handle());
allocator!(&SharedArena, self => self.handle());
