//! `Defect`: what a program can have done wrong, and the words in which it is told. Nothing else ends in `die`, so this is all that a report begins with,
//! but for those of a fault at a guarded block (`guard::fault`). Tests and docs/RELIABILITY.md quote the texts.
#![forbid(unsafe_code)]

/// One line of the table below; made nowhere else.
#[derive(Clone, Copy)]
#[cfg_attr(test, derive(PartialEq))]
pub(crate) struct Defect(&'static str);

impl Defect {
    pub(crate) const FREE_FOREIGN: Defect = Defect("free: not a block of this allocator, or free already");
    /// A span's, whose record names another heap than its tag.
    pub(crate) const FREE_ASTRAY: Defect = Defect("free: not a block of this allocator");
    pub(crate) const FREE_TWICE: Defect = Defect("free: block is already free (double free)");
    pub(crate) const FREE_INTERIOR: Defect = Defect("free: pointer into a block, not to its start");
    pub(crate) const FREE_OVERFLOW: Defect = Defect("free: block was written past its end");
    pub(crate) const FREE_UNDERFLOW: Defect = Defect("free: block was written before its start");
    pub(crate) const FREE_STALE: Defect = Defect("free: block was written to after free");
    pub(crate) const FREE_SIZE: Defect = Defect("free_sized: size does not match");
    pub(crate) const MALLOC_STALE: Defect = Defect("malloc: block was written to after free");
    pub(crate) const PURGE_STALE: Defect = Defect("purge: block was written to after free");
    pub(crate) const EXIT_STALE: Defect = Defect("exit: block was written to after free");
    pub(crate) const REALLOC_FOREIGN: Defect = Defect("realloc: not a block of this allocator, or free already");
    pub(crate) const REALLOC_INTERIOR: Defect = Defect("realloc: pointer into a block, not to its start");
    pub(crate) const REALLOC_OVERFLOW: Defect = Defect("realloc: block was written past its end");
    pub(crate) const EXPAND_FOREIGN: Defect = Defect("hak_expand: not a block of this allocator, or free already");
    pub(crate) const EXPAND_INTERIOR: Defect = Defect("hak_expand: pointer into a block, not to its start");
    pub(crate) const EXPAND_OVERFLOW: Defect = Defect("hak_expand: block was written past its end");
    pub(crate) const USABLE_FOREIGN: Defect =
        Defect("malloc_usable_size: not a block of this allocator, or free already");
    pub(crate) const ARENA_FREE_TWICE: Defect = Defect("hak_arena_free: block is already free (double free)");
    pub(crate) const ARENA_GONE: Defect = Defect("hak_arena: not an arena, or destroyed already");
    pub(crate) const NEW_MUST_THROW: Defect = Defect("new: out of memory, and no C++ runtime to throw");

    pub(super) const fn text(self) -> &'static str {
        self.0
    }
}
