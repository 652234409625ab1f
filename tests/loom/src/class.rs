//! Of box `class`, what the included sources name.

pub(crate) const CLASSES: usize = 100;
pub(crate) const TINY_CLASSES: usize = 20;
pub(crate) const PAGE_CLASSES: usize = 20;
pub(crate) const BIN_STRIDE: usize = 32;

/// Of the class whose bin is at `offset`.
pub(crate) fn block_size_at(offset: usize) -> usize {
    offset / BIN_STRIDE * 16
}

/// Classes of 16 bytes each, which is all that a weight needs to be one.
#[derive(Clone, Copy)]
pub(crate) struct ClassId(usize);

impl ClassId {
    pub(crate) fn of(size: usize) -> Option<ClassId> {
        Some(ClassId(size.div_ceil(16).max(1)))
    }

    pub(crate) fn from_index(index: usize) -> ClassId {
        ClassId(index)
    }

    pub(crate) fn all() -> impl Iterator<Item = ClassId> {
        (0..CLASSES).map(ClassId)
    }

    pub(crate) fn index(self) -> usize {
        self.0
    }

    pub(crate) fn is_tiny(&self) -> bool {
        self.0 < TINY_CLASSES
    }

    pub(crate) fn block_size(&self) -> usize {
        self.0 * 16
    }

    pub(crate) fn span_bytes(&self) -> usize {
        1 << 16
    }
}
