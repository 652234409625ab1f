//! Box `front` (L7): the only place where sizes are routed, and the hot paths.
//! Owns: what was put off during a fork.   Calls: all below.   Called by: arena, abi.   Locks: through the boxes.   Threads: any.
//! Never: knows a mode on a hot path; a mode is a magazine without capacity, and the slow path decides.
//! Whole calls, drawn as trees: `malloc.rs`, `free.rs`. Inside: the hot files → `slow`, `slow_free` (what serves without a lock) → the gate → `source`, `sink`.
//! By which rules a block is handed out is a `source::Mode`; what a pointer points to is a `kind::Kind`.

mod aligned;
mod apart;
mod ask;
mod checked;
#[cfg(test)]
mod faults;
mod free;
mod full;
mod grown;
mod kind;
mod late;
mod malloc;
mod notes;
#[cfg(feature = "paranoid")]
mod paranoid;
#[cfg(not(feature = "paranoid"))]
mod paranoid {
    #[inline(always)]
    pub(super) fn after_slow_path() {}
}
mod profiled;
mod realloc;
mod recorded;
mod requests;
mod sink;
mod sizes;
mod slow;
mod slow_free;
mod source;
mod thread;
mod trim;
mod warm;

pub(crate) use aligned::alloc_aligned;
pub(crate) use apart::{inside, look, own_heap, prepare, serve};
pub(crate) use ask::{cut, is_ours, resize, usable_size, usable_size_or_0};
pub(crate) use free::{free, free_rounded, free_sized};
pub(crate) use kind::Kind;
pub(crate) use late::{after_fork, before_fork};
pub(crate) use malloc::{alloc, alloc_at_least, alloc_or, alloc_zeroed, hit};
pub(crate) use profiled::{prepare as prepare_profile, start as start_profile, stop as stop_profile};
pub(crate) use realloc::realloc;
pub(crate) use recorded::after_fork as record_fork;
pub(crate) use requests::{profile_at_signal, report_at_signal};
pub(crate) use sink::take_one_of_many;
pub(crate) use sizes::{expand, good_size};
pub(crate) use slow_free::expect_rounded;
pub(crate) use source::{class_for, large_block, of_apart, of_shared, out_of_memory};
pub(crate) use trim::{flush_thread, trim};
