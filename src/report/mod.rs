//! Box `report` (L8): what the allocator holds, as numbers and as text.
//! Owns: nothing.   Calls: every box below.   Called by: abi.   Locks: registry → one heap, then the pool's, one at a time.
//! Threads: any.   Never: allocates; calls out while it holds a lock.
#![forbid(unsafe_code)]

mod print;
mod totals;
mod xml;

pub(crate) use print::{print, print_tiny_heap};
pub(crate) use totals::Totals;
pub(crate) use xml::write_xml;
