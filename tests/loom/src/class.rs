//! Of box `class`, what the included sources name.

pub(crate) const CLASSES: usize = 44;
pub(crate) const BIN_STRIDE: usize = 32;
