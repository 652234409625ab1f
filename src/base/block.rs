//! `Block`: a block that is nobody's, on its way from one box to another, or to the program.
#![forbid(unsafe_code)]

use super::addr::Addr;

/// Neither Copy nor Clone: who has it hands it on, or keeps it, and has it no more. So none comes to two.
///
/// What a program gives back is none: an `Addr`, until a flush has found it to be a block that was in use.
#[must_use = "a block that is dropped is lost"]
#[repr(transparent)]
pub(crate) struct Block(Addr);

impl Block {
    /// The block at `at`, which was the caller's alone: of his memory, or on a list that it has just left.
    #[inline(always)]
    pub(crate) const fn at(at: Addr) -> Block {
        Block(at)
    }

    /// Where it is: for who looks at it, or notes something of it, before he hands it on.
    #[inline(always)]
    pub(crate) const fn addr(&self) -> Addr {
        self.0
    }

    /// It is the program's from here on.
    #[inline(always)]
    pub(crate) fn into_raw(self) -> *mut u8 {
        self.0.as_ptr()
    }
}
