//! Box `front` (L7): the only place where sizes are routed, and the hot paths.
//! Owns: what was put off during a fork.   Calls: all below.   Called by: arena, abi.   Locks: through the boxes.   Threads: any.
//! Never: knows a mode on a hot path; a mode is a magazine without capacity, and the slow path decides.
//!
//! ```text
//! malloc ─ class ─ bin.pop ─ hit
//!   └ slow::alloc_slow ─ counted: profiled::alloc ─ bin.pop ─ hit; light: checked::alloc ─ bin.pop ─ hit
//!                      │                       └ its turn: profiled::take ─ the heap of samples, large
//!                      └ above 1 MiB: warm::alloc ─ hit
//!                      └ the gate ─ closed by a fork: late::alloc ─ reserve
//!                      └ strict: guard::sample, hardened::full::alloc, checked::alloc_class
//!                      └ large
//!                      └ thread ─ T-HEAP or Pool-TLS: heap.pop_slow ─ span ─ pool
//!                             └ baseline::alloc          (late or unborn: heap.alloc_direct)
//! free ─ tag ^ heap ─ bin.push ─ hit
//!           └ slow::free ─ light: checked::free ─ bin.push ─ hit
//!                     └ large: warm::free ─ it waits
//!                     └ the gate ─ closed by a fork: late::free, done afterwards
//!                     └ large │ guard │ hardened::full::free │ mine: heap.push_slow or baseline::free │ other's: heap.free_remote │ not ours: die
//! ```

mod aligned;
mod apart;
mod checked;
#[cfg(test)]
mod faults;
mod free;
mod late;
mod malloc;
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
mod sizes;
mod slow;
mod slow_free;
mod thread;
mod trim;
mod warm;

pub(crate) use aligned::alloc_aligned;
pub(crate) use apart::{inside, own_heap, prepare, serve};
pub(crate) use free::{free, free_rounded, free_sized};
pub(crate) use late::{after_fork, before_fork};
pub(crate) use malloc::{alloc, alloc_at_least, alloc_or, alloc_zeroed, hit};
pub(crate) use profiled::{prepare as prepare_profile, start as start_profile, stop as stop_profile};
pub(crate) use realloc::{is_ours, realloc, resize, usable_size, usable_size_or_0};
pub(crate) use recorded::after_fork as record_fork;
pub(crate) use requests::{profile_at_signal, report_at_signal};
pub(crate) use sizes::{expand, good_size};
pub(crate) use slow::out_of_memory;
pub(crate) use slow_free::expect_rounded;
pub(crate) use trim::{flush_thread, trim};
