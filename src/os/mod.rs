//! Box `os` (L1): every system call, locks, the TLS word, fork handlers, the environment, and dying.
//! Owns: the TLS word, the count of mapped bytes.   Calls: base, libc.   Called by: all above.   Locks: defines them, holds none.
//! Threads: any.   Never: allocates, panics.

mod clock;
pub(crate) mod closed;
mod defect;
mod die;
mod elf;
pub(crate) mod env;
#[cfg(test)]
pub(crate) mod fake;
pub(crate) mod fault;
pub(crate) mod file;
pub(crate) mod fork;
mod futex;
pub(crate) mod gate;
mod kernel;
pub(crate) mod lines;
mod linux;
#[cfg(any(test, all(feature = "override", optimised)))]
pub(crate) mod loaded;
pub(crate) mod lock;
pub(crate) mod lost;
mod memory;
pub(crate) mod names;
mod process;
pub(crate) mod quota;
mod random;
mod returns;
pub(crate) mod room;
pub(crate) mod sealed;
pub(crate) mod shared;
mod sigaction;
pub(crate) mod signal;
mod sys;
pub(crate) mod thread;
pub(crate) mod thread_exit;
mod ticks;
pub(crate) mod tls;

pub(crate) use clock::{monotonic_ms, realtime_ms, realtime_ns};
pub(crate) use defect::Defect;
#[cfg(feature = "paranoid")]
pub(crate) use die::require;
pub(crate) use die::{Misuse, Part, die, die_sized, report, set_witness, write_stderr};
pub(crate) use kernel::{RANGES, Range, Resize};
#[cfg(feature = "paranoid")]
pub(crate) use linux::is_alone;
pub(crate) use linux::{page_size, resident};
pub(crate) use memory::{
    advise_huge, close, could_map, guard, map, map_aligned, map_anyway, map_apart, map_target, map_within, move_onto,
    move_pages, open, populate, purge, purge_all, reserve, reserve_at, resize_in_place, uncount, unguard, unmap,
    unmap_around, unreserve,
};
pub(crate) use process::{Usage, enter_namespace, process_id, unshare, usage};
pub(crate) use random::random;
pub(crate) use returns::returns;
pub(crate) use ticks::{ticks, ticks_per_second};
