//! Box `reclaim` (L7): when memory goes back to the kernel. It sees all who hold some idle.
//!
//! - The bound (`bound`): as soon as more than max(32 MiB, live / 8) is dirty (free but resident), what is over goes.
//! - A small process stays small (`idle`): far below the bound, what was not earned goes.
//! - Decay (`decay`): what stayed idle for half of `HAKMEM_DECAY_MS` goes, most of it at once, in steps (`debt`).
//! - What the program soon took anew was given back too early, and earns that more stays: of all three (`regret`), up to what it just used (`peak`).
//! - Limits (`limits`): above the program's own soft limit everything idle goes.
//! - Pressure: so it does when the kernel reports that memory runs short.
//! - `give_back`, for `malloc_trim` and before a request fails: all of it, at once.
//!
//! Slow paths do all this. A process that is idle has none: `background` is a thread that looks for it, if it was asked for.
//!
//! Owns: the time of the last decay, what was earned, the optional thread.   Calls: base, os, stats, config, page_map,
//! pressure, learn, profile, reserve, superslab, span, heap, large, hardened.   Called by: front, arena, report, abi.
//! Locks: `TURN`, `CLOCK`, `DEBT`, `LEDGER`, only tried, before all others; then through the boxes.   Threads: any.
//! Never: looks at a request; a slow path says that something was freed, or is about to be taken.
#![forbid(unsafe_code)]

mod background;
mod bound;
mod debt;
mod decay;
mod figures;
mod give;
mod idle;
mod limits;
mod peak;
mod regret;

pub(crate) use background::{
    allow as allow_background, dismiss as dismiss_background, ensure as ensure_background,
    is_wanted as wants_background, leave as leave_background, step_aside,
};
pub(crate) use figures::COUNTS;
pub(crate) use give::give_back;
pub(crate) use limits::apply as apply_limits;

use core::sync::atomic::Ordering;

use errno::{errno, set_errno};

use figures::{Dirty, PRESSURE_ALWAYS, SETTLED, period};

use crate::config;
use crate::heap::{self, Current};
use crate::large;
use crate::os;
use crate::os::gate;
use crate::os::lock::free_in_child;
use crate::stats::counter::Counter;
use crate::superslab;

/// In a child of fork, where whoever was at it may be gone, and so is the background thread.
pub(crate) fn begin_in_child() {
    free_in_child(&give::TURN);
    decay::begin_in_child();
    regret::begin_in_child();
    debt::forget();
    background::forget();
}

/// Called at the end of a slow path that freed, with no lock held: mostly some loads and compares. Changes errno.
#[inline]
pub(crate) fn after_free() {
    idle::after_free();
    after_exit();
}

/// The same where no more was freed than a thread kept at hand: nothing that a small process has too much.
pub(crate) fn after_exit() {
    let dirty = Dirty::now();
    decay::note(dirty);
    if dirty.total() > bound::least() && dirty.total() > bound::now() && period() >= 0 {
        bound::enforce();
    }
    limits::soft(dirty);
    if beat() {
        look_round();
    } else {
        debt::pay();
    }
    background::nudge(dirty);
}

/// Does what leaves much idle at once, and has decay take that in its steps: so much more may be dirty until then. To give a GiB back takes the kernel
/// 0.2 s, and the caller would wait for it.
pub(crate) fn at_leisure(leave: impl FnOnce()) {
    let before = Dirty::now().total();
    leave();
    bound::lend(Dirty::now().total().saturating_sub(before));
}

/// Keeps up to `bytes` of free memory from now on, as `HAKMEM_TRIM_THRESHOLD` does; what is more goes at once. Any thread.
pub(crate) fn keep(bytes: i64) {
    config::keep(bytes);
    let Some(_inside) = gate::enter() else { return };
    let saved = errno();
    after_exit();
    set_errno(saved);
}

/// Called at the end of a slow path that allocated a class's block, with no lock held: mostly some loads and compares.
#[inline(never)] // for the stack of what comes to it
pub(crate) fn after_class() {
    heap::cool_if_due();
    idle::after_class();
}

/// Whether more large blocks wait than when `after_free` last looked: only then is there anything for it to do.
///
/// What else may change meanwhile is looked at by whoever changes it.
#[inline]
pub(crate) fn is_unsettled() -> bool {
    // Relaxed, here and below: a figure that guides a policy.
    large::is_dirtier_than(SETTLED.load(Ordering::Relaxed))
}

/// Does what is due when it is so. Changes errno.
pub(crate) fn settle() {
    after_free();
    // A background thread that sleeps is to hear of each byte.
    let quiet = config::get::background() != 1;
    SETTLED.store(if quiet { large::dirty_bytes() } else { 0 }, Ordering::Relaxed);
}

/// Called by slow paths that allocate, with no lock held, before they take anything.
pub(crate) fn before_alloc() {
    peak::note();
    limits::apply();
    if beat() {
        look_round();
    }
}

/// Whether it is time to look round, as the calling thread's slow paths go; of threads without a heap, as those of all do.
#[inline]
pub(crate) fn beat() -> bool {
    static BEATS: Counter = Counter::new();
    match heap::current() {
        Current::Heap(heap) => heap.beat(),
        // Not atomic: two at once may count as one.
        Current::Unborn | Current::Late => {
            BEATS.add_owned(1);
            BEATS.get() % 16 == 0
        }
    }
}

#[cold]
pub(crate) fn look_round() {
    // Files that are not there: no concern of a malloc that succeeds.
    let saved = errno();
    limits::soft(Dirty::now());
    if decay::tick(config::get::pressure() == PRESSURE_ALWAYS) {
        background::retry();
    }
    debt::pay();
    set_errno(saved);
}

/// What no count of idle bytes covers, at most: the caller's own caches, batches on their way.
const UNCOUNTED: u64 = 32 << 20;

/// Whether `size` bytes that were refused could be had after `give_back`: whether the kernel and the limits have room for what
/// would still be missing if all that is idle went.
#[cold]
pub(crate) fn could_serve(size: usize) -> bool {
    let idle = superslab::idle_bytes() + large::dirty_bytes() + heap::free_bytes() + UNCOUNTED;
    let missing = (size as u64).saturating_sub(idle);
    missing == 0 || os::quota::has_room(missing as usize) && os::could_map(missing as usize)
}
