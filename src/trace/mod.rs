//! Box `trace` (L3): with `HAKMEM_TRACE=1`, the stacks of blocks' allocations and frees, for reports.
//! Owns: the table of stacks, and that of blocks; both mapped once, bounded, and overwritten where they are full.
//! Calls: base, os, stats, config.   Called by: profile, large, guard, hardened, abi.   Locks: none; a report takes the loader's.   Threads: any.
//! Never: allocates. The unwinder is libc's `backtrace`, called once at start: that loads it.

mod frames;
mod print;
mod tables;

use core::sync::atomic::Ordering;

use crate::base::addr::Addr;
use crate::config;
use crate::os;
use frames::DEPTH;
use tables::READY;

pub(crate) use frames::{OWN, is_apart, is_own, load as load_unwinder, unwind};

pub(crate) const LAYOUT: crate::base::layout::Trace = tables::LAYOUT;

/// Called by the library's constructor; may allocate.
pub(crate) fn start() {
    if config::get::trace() == 1 && tables::map() {
        if !frames::load() {
            return os::write_stderr(b"hakmem: HAKMEM_TRACE=1: no stacks in a program that is wholly static\n");
        }
        os::set_witness(print::witness);
        // Release pairs with the Acquire in `is_on`: the tables are there.
        READY.store(true, Ordering::Release);
    }
}

/// Whether calls are to be noted.
#[inline]
pub(crate) fn is_on() -> bool {
    READY.load(Ordering::Acquire)
}

/// Remembers who allocates the block at `at`.
#[inline]
pub(crate) fn on_alloc(at: Addr) {
    if is_on() {
        note(at, tables::Moment::Alloc);
    }
}

/// Remembers who frees the block at `at`.
#[inline]
pub(crate) fn on_free(at: Addr) {
    if is_on() {
        note(at, tables::Moment::Free);
    }
}

#[cold]
#[inline(never)]
fn note(at: Addr, moment: tables::Moment) {
    let mut stack = [Addr::NULL; DEPTH];
    frames::take(&mut stack);
    tables::note(at, moment, tables::keep(&stack));
}
