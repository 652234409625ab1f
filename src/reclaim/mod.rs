//! Box `reclaim` (L7): when memory goes back to the kernel. It sees all who hold some idle.
//!
//! - The bound (`bound`): as soon as more than max(32 MiB, live / 8) is dirty (free but resident), what is over goes.
//! - A small process stays small (`idle`): far below the bound, what was not earned goes.
//! - Decay (`decay`): what stayed idle for half of `HAKMEM_DECAY_MS` goes, most of it at once, in steps (`debt`).
//! - Limits (`limits`): above the program's own soft limit everything idle goes.
//! - Pressure: so it does when the kernel reports that memory runs short.
//! - `give_back`, for `malloc_trim` and before a request fails: all of it, at once.
//!
//! Slow paths do all this. A process that is idle has none: `background` is a thread that looks for it, if it was asked for.
//!
//! Owns: the time of the last decay, what regret earned, the optional thread.   Calls: all below that hold memory.   Called by: front, report, abi.
//! Locks: `TURN`, `CLOCK`, `DEBT`, only tried, before all others; then through the boxes.   Threads: any.
//! Never: looks at a request; a slow path says that something was freed, or is about to be taken.
#![forbid(unsafe_code)]

mod background;
mod bound;
mod debt;
mod decay;
mod idle;
mod limits;

pub(crate) use background::{
    allow as allow_background, dismiss as dismiss_background, ensure as ensure_background,
    is_wanted as wants_background, leave as leave_background, step_aside,
};
pub(crate) use idle::after_class;
pub(crate) use limits::apply as apply_limits;

use core::sync::atomic::{AtomicU64, Ordering};

use errno::{errno, set_errno};

use crate::config;
use crate::heap::{self, Current};
use crate::large;
use crate::os;
use crate::os::gate;
use crate::os::lock::{Mutex, free_in_child};
use crate::page_map;
use crate::reserve;
use crate::stats::counter::Counter;
use crate::superslab;

/// What this box did so far.
pub(crate) struct Counts {
    /// Times that the bound on dirty memory was passed.
    pub(crate) bound: Counter,
    /// Times that a decay time was over.
    pub(crate) decay: Counter,
    /// Times that all was given back: asked for, above a limit, under pressure, or before a request failed.
    pub(crate) all: Counter,
    /// Bytes purged under the bound that the program took anew soon after.
    pub(crate) missed_bytes: Counter,
}

pub(crate) static COUNTS: Counts =
    Counts { bound: Counter::new(), decay: Counter::new(), all: Counter::new(), missed_bytes: Counter::new() };

/// Whoever holds it gives back what is too much; the others go on: nobody waits for the kernel twice, nor pays for what another frees.
static TURN: Mutex<()> = Mutex::new(());

/// In a child of fork, where whoever was at it may be gone, and so is the background thread.
pub(crate) fn begin_in_child() {
    free_in_child(&TURN);
    decay::begin_in_child();
    debt::forget();
    background::forget();
}

/// Milliseconds that idle memory stays; 0: none does; negative: for ever. Asked each time, so it may change.
fn period() -> i64 {
    config::get::decay_ms()
}

/// Bytes that are free and resident, by who holds them.
#[derive(Clone, Copy)]
struct Dirty {
    pool: u64,
    large: u64,
    spans: u64,
}

impl Dirty {
    fn now() -> Dirty {
        Dirty { pool: superslab::dirty_bytes(), large: large::dirty_bytes(), spans: heap::dirty_bytes() }
    }

    fn total(self) -> u64 {
        self.pool + self.large + self.spans
    }
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
    debt::pay();
    if beat() {
        look_round();
    }
    background::nudge(dirty);
}

/// Keeps up to `bytes` of free memory from now on, as `HAKMEM_TRIM_THRESHOLD` does; what is more goes at once. Any thread.
pub(crate) fn keep(bytes: i64) {
    config::keep(bytes);
    let Some(_inside) = gate::enter() else { return };
    let saved = errno();
    after_exit();
    set_errno(saved);
}

/// Bytes of large blocks that were free, in use by nobody, when `after_free` last found all in order.
static SETTLED: AtomicU64 = AtomicU64::new(0);

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
    decay::tick(config::get::pressure() == PRESSURE_ALWAYS);
    debt::pay();
    set_errno(saved);
}

/// The choices of `HAKMEM_PRESSURE`, by their place in its table.
const PRESSURE_ALWAYS: i64 = 1;
const PRESSURE_NEVER: i64 = 2;

/// Purges until `want` bytes went: slots of the pool, cached ranges, then pages inside spans. Returns the bytes, and how
/// many of them any class could have used.
fn shed(want: usize) -> (usize, usize) {
    let mut given = superslab::purge(want.min(superslab::dirty_bytes() as usize));
    if given < want {
        given += large::purge(want - given);
    }
    let general = given;
    if given < want {
        if let Current::Heap(heap) = heap::current() {
            given += heap.purge(want - given);
        }
    }
    if given < want {
        heap::each_heap(|heap| {
            if given < want {
                given += heap.purge(want - given);
            }
        });
    }
    (given, general)
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

/// Gives everything idle back to the kernel, of busy heaps too with `wait`; with `unmap` the addresses of what is wholly unused as well.
pub(crate) fn give_back(wait: bool, unmap: bool) -> usize {
    COUNTS.all.add(1);
    let mut given = 0;
    // All batches first: what waits for one heap may lie in any other's.
    heap::each_heap(|heap| heap.collect(true));
    heap::take_in_all(wait);
    heap::each_heap(|heap| given += heap.trim(wait));
    given += reserve::purge() + superslab::purge(usize::MAX) + large::purge(usize::MAX);
    if unmap {
        superslab::unmap_cached();
    }
    // Last, for what went is no longer entered.
    given + page_map::purge()
}
