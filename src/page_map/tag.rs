//! `Tag`: who owns a granule, in one word.
#![forbid(unsafe_code)]

use crate::base::addr::Addr;
use crate::class::{BIN_STRIDE, CLASSES, block_size_at};

const OWNER_MASK: u64 = !0xFFF;

/// Who owns a granule.
///
/// | value                              | meaning                                                   |
/// |------------------------------------|-----------------------------------------------------------|
/// | 0                                  | not ours                                                  |
/// | 1                                  | starts a large block                                      |
/// | 2                                  | the region of guarded blocks                              |
/// | 3                                  | starts a large block of the reserve                       |
/// | 4                                  | starts a large block that is free, and waits with its record |
/// | 5                                  | starts a large block between closed pages                 |
/// | 6                                  | nobody's; a large block started there, in memory that is still box `large`'s |
/// | 16 + n                             | blocks of the reserve of 2^n bytes                        |
/// | heap address \| class * BIN_STRIDE | part of a span; heaps lie at multiples of 4096            |
///
/// So `tag ^ heap` is below `CLASSES * BIN_STRIDE` exactly when the granule is that heap's, and then is the offset of
/// the bin: owner, class, foreign and large in one compare.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Tag(pub(crate) u64);

impl Tag {
    pub(crate) const NONE: Tag = Tag(0);
    pub(crate) const LARGE: Tag = Tag(1);
    pub(crate) const GUARD: Tag = Tag(2);
    pub(crate) const RESERVE_LARGE: Tag = Tag(3);
    pub(crate) const WAITS: Tag = Tag(4);
    pub(crate) const FENCED: Tag = Tag(5);
    pub(crate) const LEFT: Tag = Tag(6);
    pub(super) const RESERVE: u64 = 16;

    /// Whether it starts a large block in use, whose record is, or begins with, what box `large` says.
    pub(crate) fn is_large(self) -> bool {
        matches!(self, Tag::LARGE | Tag::FENCED)
    }

    /// Of blocks of the reserve of `1 << shift` bytes.
    pub(crate) fn reserve(shift: u32) -> Tag {
        Tag(Tag::RESERVE + shift as u64)
    }

    pub(crate) fn is_reserve(self) -> bool {
        self == Tag::RESERVE_LARGE || self.reserve_shift().is_some()
    }

    /// What `reserve` was told.
    pub(crate) fn reserve_shift(self) -> Option<u32> {
        (Tag::RESERVE..Tag::RESERVE + 64).contains(&self.0).then(|| (self.0 - Tag::RESERVE) as u32)
    }

    pub(crate) fn of_span(owner: Addr, class_index: usize) -> Tag {
        debug_assert!(owner.is_aligned(4096));
        Tag(owner.0 as u64 | (class_index * BIN_STRIDE) as u64)
    }

    /// The owning heap; null for what is no span.
    pub(crate) fn owner(self) -> Addr {
        Addr((self.0 & OWNER_MASK) as usize)
    }

    pub(crate) fn is_span(self) -> bool {
        !self.owner().is_null()
    }

    /// The bytes of a span's blocks; 0: it is no span.
    pub(super) fn block_size(self) -> usize {
        if self.is_span() { block_size_at((self.0 & !OWNER_MASK) as usize) } else { 0 }
    }

    /// The class of a span's tag.
    pub(crate) fn class_index(self) -> usize {
        (self.0 & !OWNER_MASK) as usize / BIN_STRIDE
    }
}

const _: () =
    assert!(CLASSES * BIN_STRIDE <= 4096, "an offset into the bins never reaches the bits of a heap's address");
