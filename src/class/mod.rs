//! Box `class` (L2): the 100 size classes and the way from a size to its class.
//! Owns: constant tables.   Calls: base.   Called by: all above.   Locks: none.   Threads: any.   Never: allocates, panics, branches on a mode.

mod table;

pub(crate) use table::{
    BIG_MAX, BIN_STRIDE, BLOCK_SIZE, CLASSES, MID_CLASSES, MID_MAX, RECIPROCAL, SLOTS, TINY_CLASSES, TINY_MAX,
};

use crate::base::addr::GRANULE;
use crate::base::bits::round_up;
use crate::base::layout::{self, At};

/// Above a page a block shares none, and there is nothing to be had from fewer classes.
const COARSE_MAX: usize = 4096;

/// Classes whose blocks are no larger than a page.
pub(crate) const PAGE_CLASSES: usize = table::classes_up_to(4096);

pub(crate) const LAYOUT: layout::Classes = layout::Classes {
    classes: CLASSES,
    block_size_at: At((&raw const BLOCK_SIZE).cast()),
    slots_at: At((&raw const SLOTS).cast()),
    capacity_at: At((&raw const table::CAPACITY).cast()),
    bin_stride: BIN_STRIDE,
};

/// A size class, always below `CLASSES`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct ClassId(u8);

impl ClassId {
    /// The class that serves `size` bytes; `None` above `BIG_MAX`. Zero is served as one byte.
    #[inline(always)]
    pub(crate) fn of(size: usize) -> Option<ClassId> {
        let offset = if size <= MID_MAX { small_bin_offset(size) } else { big_bin_offset(size)? };
        Some(ClassId((offset / BIN_STRIDE) as u8))
    }

    /// The smallest class from this one on whose blocks share no line of the cache.
    pub(crate) fn in_whole_lines(self) -> ClassId {
        ClassId::of(self.block_size().next_multiple_of(64)).unwrap_or(self)
    }

    /// One of the few classes that together serve the sizes up to a page: powers of two, and above 1 KiB what lies halfway between two.
    /// Its blocks are multiples of whatever this one's are; above a page it is the class itself.
    pub(crate) fn coarse(self) -> ClassId {
        let size = self.block_size();
        let step = match size.next_power_of_two() {
            power if size <= TINY_MAX => power,
            power if size <= COARSE_MAX => power / 4,
            _ => return self,
        };
        round_up(size, step).and_then(ClassId::of).unwrap_or(self)
    }

    /// The smallest class of at least `size` bytes whose blocks are all multiples of `align`, a power of two.
    pub(crate) fn aligned(size: usize, align: usize) -> Option<ClassId> {
        // Spans start at a multiple of a granule.
        let mut class = ClassId::of(size.max(align)).filter(|_| align <= GRANULE)?.0;
        // Ends at a power of two at the latest.
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

    /// Whether its blocks are larger than a granule.
    pub(crate) fn is_big(self) -> bool {
        self.index() >= MID_CLASSES
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

/// Where the bin of a size of at most `MID_MAX` lies in a heap. HOT.
#[inline(always)]
#[expect(
    clippy::manual_div_ceil,
    reason = "div_ceil guards against an overflow that can't be: three instructions more"
)]
pub(crate) fn small_bin_offset(size: usize) -> usize {
    debug_assert!(size <= MID_MAX);
    // SAFETY: (65536 + 15) / 16 = 4096 is the table's last index.
    unsafe { *table::SMALL_BIN.get_unchecked((size + 15) / 16) as usize }
}

/// Where the bin of a size above `MID_MAX` lies in a heap; `None` above `BIG_MAX`.
#[inline(always)]
pub(crate) fn big_bin_offset(size: usize) -> Option<usize> {
    debug_assert!(size > MID_MAX);
    table::BIG_BIN.get((size - 1) / table::BIG_STEP).map(|&offset| offset as usize)
}

/// Bytes of a block of the class whose bin lies at `offset`, which is what the two above gave. HOT.
#[inline(always)]
pub(crate) fn block_size_at(offset: usize) -> usize {
    debug_assert!(offset < CLASSES * BIN_STRIDE);
    // SAFETY: the offset of a bin is that of a class's.
    unsafe { *BLOCK_SIZE.get_unchecked(offset / BIN_STRIDE) as usize }
}

const _: () = assert!(MID_MAX == GRANULE, "a mid block fits into a slot");
const _: () =
    assert!(CLASSES * BIN_STRIDE <= 4096, "an offset into the bins never reaches the bits of a heap's address");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_gets_the_smallest_class_that_holds_it() {
        for size in (0..=MID_MAX).chain((MID_MAX..=BIG_MAX).step_by(61)).chain([BIG_MAX]) {
            let class = ClassId::of(size).unwrap_or(ClassId(0));
            assert!(class.block_size() >= size);
            assert!(class.index() == 0 || ClassId(class.0 - 1).block_size() < size, "{size}");
        }
        assert!(ClassId::of(BIG_MAX + 1).is_none());
        assert!(ClassId::of(usize::MAX).is_none());
    }

    #[test]
    fn aligned_classes_hold_size_and_alignment() {
        for align in (0..=16).map(|shift| 1usize << shift) {
            for size in (0..=BIG_MAX).step_by(331) {
                if let Some(class) = ClassId::aligned(size, align) {
                    assert!(class.block_size() >= size && class.block_size() % align == 0);
                }
            }
        }
        assert!(ClassId::aligned(1, 1 << 17).is_none());
    }

    #[test]
    fn coarse_classes_are_few_and_hold_sizes_and_alignments() {
        let all: Vec<_> =
            ClassId::all().filter(|class| class.block_size() <= COARSE_MAX).map(ClassId::coarse).collect();
        for (class, coarse) in ClassId::all().zip(&all) {
            let (size, block) = (class.block_size(), coarse.block_size());
            assert!(block >= size && block.trailing_zeros() >= size.trailing_zeros() && coarse.coarse() == *coarse);
            // Else `realloc` would take the block for one that is to be cut.
            assert!(if class.is_tiny() { size > block / 2 } else { size * 8 > block * 5 }, "{size} in {block}");
        }
        let mut sizes: Vec<_> = all.iter().map(|class| class.block_size()).collect();
        sizes.dedup();
        assert_eq!(sizes, [16, 32, 64, 128, 256, 512, 1024, 1536, 2048, 3072, 4096]);
        assert!(ClassId::all().filter(|class| class.block_size() > COARSE_MAX).all(|class| class.coarse() == class));
    }

    #[test]
    fn the_reciprocal_divides_every_offset_of_every_span() {
        for class in ClassId::all() {
            // It never falls from one offset to the next, so the borders of the blocks stand for all that lies between.
            let (size, bytes) = (class.block_size(), class.span_bytes());
            for border in (0..=bytes / size).map(|index| index * size) {
                for offset in border.saturating_sub(1)..=border {
                    assert_eq!((offset as u64 * class.reciprocal()) >> 42, (offset / size) as u64);
                }
            }
            assert_eq!(((bytes - 1) as u64 * class.reciprocal()) >> 42, ((bytes - 1) / size) as u64);
        }
    }
}
