//! `Aside`: a table of which most processes touch nothing, or a page. It begins a line of the cache, for by that the linker sorts
//! (`scripts/link.sh`): so the small words that every process writes to lie together, in a page or two.
#![forbid(unsafe_code)]

use core::ops::Deref;

#[repr(align(64))]
pub(crate) struct Aside<T>(pub(crate) T);

impl<T> Deref for Aside<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}
