//! Box `meta` (L2): memory for the allocator's own records, far from any user's block.
//! Owns: chunks with a guard page at each end, never unmapped: a stale record can be read, never faulted on.
//! Calls: base, os.   Called by: all above.   Locks: `META`, a leaf lock.   Threads: any.   Never: gives memory that is not zeroed.

#[cfg(feature = "paranoid")]
mod check;
mod records;
mod spare;

#[cfg(feature = "paranoid")]
pub(crate) use check::check;
pub(crate) use records::{alloc, free, mapped};
pub(crate) use spare::Spare;
