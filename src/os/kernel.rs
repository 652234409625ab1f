//! `Os`: what the allocator asks of the kernel about memory.
#![forbid(unsafe_code)]

use crate::base::addr::Addr;

/// Pages that are given back together with others; as the kernel has it (`iovec`).
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Range {
    pub(crate) at: Addr,
    pub(crate) len: usize,
}

/// Ranges that one call of `purge_all` takes.
pub(crate) const RANGES: usize = 64;

/// What became of a mapping that was to be resized in place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resize {
    Done,
    /// There is no room behind it: it may be moved.
    Blocked,
    /// Not this way: it is more than one mapping to the kernel, or the call is refused.
    Never,
}

/// What the allocator asks of the kernel about memory. A second implementation (`fake`) refuses the nth call.
pub(super) trait Os {
    /// Zeroed, readable and writable pages; anywhere, or preferably at `hint`.
    fn map(hint: Addr, len: usize) -> Option<Addr>;
    /// Addresses anywhere, or preferably at `hint`, inaccessible: no memory is set aside for them.
    fn reserve(hint: Addr, len: usize) -> Option<Addr>;
    /// Moves the mapping and its contents onto `to`, which is mapped and given up; `to_len >= from_len` bytes.
    fn move_onto(from: Addr, from_len: usize, to: Addr, to_len: usize) -> bool;
    /// Moves pages, and nothing else, onto `to`, which is mapped and given up; where they were everything is zero.
    fn move_pages(from: Addr, len: usize, to: Addr) -> bool;
    /// Grows or shrinks a mapping where it stands.
    fn resize(at: Addr, old: usize, new: usize) -> Resize;
    /// Gives the pages back; they read as zero from now on.
    fn purge(at: Addr, len: usize) -> bool;
    /// The same of many ranges, `RANGES` at most, by one call if `together`: a bit for each that went.
    fn purge_all(ranges: &[Range], together: bool) -> u64;
    fn unmap(at: Addr, len: usize) -> bool;
    /// Has pages made that will be written to anyway, by one call instead of a fault each.
    fn populate(at: Addr, len: usize) -> bool;
    /// Asks for huge pages, or for none.
    fn advise_huge(at: Addr, len: usize, huge: bool) -> bool;
    /// Makes pages inaccessible: a guard. What they held is gone.
    fn forbid(at: Addr, len: usize) -> bool;
    /// Makes them readable and writable again, and zero.
    fn permit(at: Addr, len: usize) -> bool;
}
