//! Box `arena` (L8): heaps of the program's own, whose blocks can all be freed at once.
//! Owns: the arenas' records, and their list.   Calls: base, os, class, config, stats, meta, page_map, region, large, heap, reclaim,
//! front.
//! Called by: report, abi.   Locks: `ARENAS`, before all others; else through the boxes.
//! Threads: an owned arena's functions are one thread's at a time, as the program sees to; `of` and `figures` are any's.
//!
//! A shared one's, but for `reset`, `destroy` and `walk`, are any thread's: each has a heap of its own there (`heap/seats.rs`), and the arena's own
//! heap serves threads that have none.
//!
//! The program's handle is a word as a thread's is (`heap::bin_at`): that of the arena's heap, so a hit is malloc's. An arena of which a
//! call is more than a hit has a word whose magazines are always empty.

mod alloc;
mod ends;
mod handle;
mod list;
mod look;

pub(crate) use alloc::{alloc, alloc_aligned, alloc_zeroed, free, realloc};
pub(crate) use ends::{destroy, is_fit, make, reset};
pub(crate) use handle::{Memory, NAME, Options};
pub(crate) use look::{Figures, figures, nth, of, walk};
