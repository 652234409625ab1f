//! Box `stats` (L2): counters that slow paths bump, and text written without allocating.
//! Owns: the process's levels of memory; each box embeds the counters it needs.   Calls: base, os, class.   Called by: all above.   Locks: none.   Threads: any.
//! Never: counts on a hot path.
#![forbid(unsafe_code)]

pub(crate) mod allowance;
pub(crate) mod counter;
pub(crate) mod event;
pub(crate) mod level;
pub(crate) mod path;
pub(crate) mod text;
