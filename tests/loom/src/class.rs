//! Of box `class`, what the included sources name.

pub(crate) const CLASSES: usize = 100;
pub(crate) const TINY_CLASSES: usize = 20;
pub(crate) const BIN_STRIDE: usize = 32;
