//! Box `report` (L8): what the allocator holds, as numbers and as text.
//! Owns: one report at a time.   Calls: all below.   Called by: abi.   Locks: `NAMES`, only tried; one heap's or the pool's, one at a time.
//! Threads: any.   Never: allocates; calls out while it holds a lock.
#![forbid(unsafe_code)]

mod json;
mod output;
mod print;
mod prometheus;
mod table;
mod totals;
pub(crate) mod walk;
mod xml;

pub(crate) use json::write_json;
pub(crate) use output::{at_exit, at_fork_child, at_signal};
pub(crate) use print::{print, print_tiny_heap, write_text};
pub(crate) use prometheus::write_prometheus;
#[cfg(test)]
pub(crate) use table::rows;
pub(crate) use table::{ROWS, values};
pub(crate) use totals::Totals;
pub(crate) use xml::write_xml;
