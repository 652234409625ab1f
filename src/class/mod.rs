//! Box `class` (L2): the 44 size classes and the way from a size to its class.
//! Owns: constant tables.   Calls: base.   Locks: none.   Threads: any.   Never: allocates, panics, branches on a mode.

mod table;

pub(crate) use table::{BLOCK_SIZE, RECIPROCAL, SLOTS};

use crate::base::addr::GRANULE;

/// Classes C0..C19: 16..128 by 16, then four per doubling to 1024 bytes.
pub(crate) const TINY_CLASSES: usize = 20;
/// All classes: tiny, then four per doubling from 1280 bytes to 64 KiB.
pub(crate) const CLASSES: usize = 44;
/// Bytes from one class's bin to the next in a heap. Hot paths and page-map tags hold classes premultiplied by it.
pub(crate) const BIN_STRIDE: usize = 32;
pub(crate) const TINY_MAX: usize = 1024;
pub(crate) const MID_MAX: usize = 64 * 1024;

/// A size class, always below `CLASSES`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct ClassId(u8);

impl ClassId {
    /// The class that serves `size` bytes; `None` above `MID_MAX`. Zero is served as one byte.
    #[inline(always)]
    pub(crate) fn of(size: usize) -> Option<ClassId> {
        if size <= TINY_MAX {
            return Some(ClassId((tiny_bin_offset(size) / BIN_STRIDE) as u8));
        }
        mid_bin_offset(size).map(|offset| ClassId((offset / BIN_STRIDE) as u8))
    }

    /// The smallest class of at least `size` bytes whose blocks are all multiples of `align`, a power of two.
    pub(crate) fn aligned(size: usize, align: usize) -> Option<ClassId> {
        let mut class = ClassId::of(size.max(align))?.0;
        // Ends at a power of two at the latest, and spans start at a multiple of 64 KiB.
        while BLOCK_SIZE[class as usize % CLASSES] as usize & (align - 1) != 0 {
            class += 1;
            if class as usize == CLASSES {
                return None;
            }
        }
        Some(ClassId(class))
    }

    /// The class with this number, which must be below `CLASSES`.
    #[inline(always)]
    pub(crate) fn from_index(index: usize) -> ClassId {
        debug_assert!(index < CLASSES);
        ClassId(index as u8)
    }

    pub(crate) fn all() -> impl Iterator<Item = ClassId> {
        (0..CLASSES as u8).map(ClassId)
    }

    #[inline(always)]
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }

    pub(crate) fn is_tiny(self) -> bool {
        self.index() < TINY_CLASSES
    }

    /// Bytes of one block of this class.
    #[inline(always)]
    pub(crate) fn block_size(self) -> usize {
        BLOCK_SIZE[self.index() % CLASSES] as usize
    }

    /// Adjacent slots of one span of this class.
    pub(crate) fn slots(self) -> u32 {
        SLOTS[self.index() % CLASSES] as u32
    }

    /// Bytes of one span of this class.
    pub(crate) fn span_bytes(self) -> usize {
        self.slots() as usize * GRANULE
    }

    /// Blocks in one span of this class.
    pub(crate) fn blocks_per_span(self) -> u32 {
        table::CAPACITY[self.index() % CLASSES]
    }

    /// See `table::RECIPROCAL`.
    pub(crate) fn reciprocal(self) -> u64 {
        RECIPROCAL[self.index() % CLASSES]
    }
}

/// Where the bin of a size of at most `TINY_MAX` lies in a heap. HOT.
#[inline(always)]
#[expect(
    clippy::manual_div_ceil,
    reason = "div_ceil guards against an overflow that can't be: three instructions more"
)]
pub(crate) fn tiny_bin_offset(size: usize) -> usize {
    debug_assert!(size <= TINY_MAX);
    // SAFETY: (1024 + 15) / 16 = 64 is the table's last index.
    unsafe { *table::TINY_BIN.get_unchecked((size + 15) / 16) as usize }
}

/// Where the bin of a size above `TINY_MAX` lies in a heap; `None` above `MID_MAX`. HOT.
#[inline(always)]
pub(crate) fn mid_bin_offset(size: usize) -> Option<usize> {
    debug_assert!(size > TINY_MAX);
    // A table, not the position of the leading bit: 17 instructions to a hit instead of 24.
    // SAFETY: (65536 - 1) / 256 = 255 is the table's last index.
    (size <= MID_MAX).then(|| unsafe { *table::MID_BIN.get_unchecked((size - 1) / 256) as usize })
}

const _: () = assert!(MID_MAX == GRANULE, "a large block is one that no class holds");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_gets_the_smallest_class_that_holds_it() {
        for size in 0..=MID_MAX {
            let class = ClassId::of(size).unwrap_or(ClassId(0));
            assert!(class.block_size() >= size);
            assert!(class.index() == 0 || ClassId(class.0 - 1).block_size() < size, "{size}");
        }
        assert!(ClassId::of(MID_MAX + 1).is_none());
        assert!(ClassId::of(usize::MAX).is_none());
    }

    #[test]
    fn aligned_classes_hold_size_and_alignment() {
        for align in (0..=16).map(|shift| 1usize << shift) {
            for size in (0..=MID_MAX).step_by(37) {
                if let Some(class) = ClassId::aligned(size, align) {
                    assert!(class.block_size() >= size && class.block_size() % align == 0);
                }
            }
        }
        assert!(ClassId::aligned(1, 1 << 17).is_none());
    }

    #[test]
    fn the_reciprocal_divides_every_offset_of_every_span() {
        for class in ClassId::all() {
            let (size, slots) = (class.block_size(), class.slots() as usize);
            for offset in 0..slots * GRANULE {
                assert_eq!((offset as u64 * class.reciprocal()) >> 42, (offset / size) as u64);
            }
        }
    }
}
