//! When memory goes back to the kernel: the one place that sees all who hold some idle.
//!
//! - The bound: as soon as more than max(32 MiB, live / 8) is dirty (free but resident), what is over goes, the coldest
//!   first: slots of the pool, cached large mappings, then pages inside spans.
//! - Regret: a program that soon takes fresh memory for what was purged under that bound raises it, byte for byte, by up
//!   to three quarters of what is live (24 MiB at least); with the live memory the allowance goes, and half of it each decay time.
//!   Measured: blocks of 64 KiB to 4 MiB, 64 live, run 10 times faster for it (bench_c/bench_large 20000 64 1).
//! - Decay: what no slow path used for `HAKMEM_DECAY_MS` goes too.
//! - `malloc_trim`: all of it, at once.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use crate::baseline;
use crate::config;
use crate::hardened;
use crate::heap::{self, Current};
use crate::large;
use crate::learn;
use crate::os;
use crate::stats::counter::Counter;
use crate::superslab;

const MIN_BOUND: u64 = 32 << 20;
const LIVE_PART: u64 = 8;
/// What regret may earn even when nothing is live: between rounds of a program that frees all and starts over.
const MIN_ALLOWANCE: u64 = 24 << 20;

/// Bytes that may be dirty beyond the bound.
static ALLOWANCE: AtomicU64 = AtomicU64::new(0);
/// Bytes purged under the bound that nobody has missed yet.
static PURGED: AtomicU64 = AtomicU64::new(0);
/// Bytes that the last purge could not give back (a refused `madvise`, busy heaps): not tried again before decay.
static FUTILE: AtomicU64 = AtomicU64::new(0);
/// Fresh bytes taken, as `regret` saw them last.
static SEEN_FRESH: AtomicU64 = AtomicU64::new(0);
/// When the last decay was, in milliseconds of the coarse clock.
static LAST: AtomicU64 = AtomicU64::new(0);

/// What this box did so far.
pub(crate) struct Counts {
    /// Times that the bound on dirty memory was passed.
    pub(crate) bound: Counter,
    /// Times that a decay time was over.
    pub(crate) decay: Counter,
    /// Times that all was given back: asked for, or before a request failed.
    pub(crate) all: Counter,
    /// Bytes purged under the bound that the program took anew soon after.
    pub(crate) missed_bytes: Counter,
}

pub(crate) static COUNTS: Counts =
    Counts { bound: Counter::new(), decay: Counter::new(), all: Counter::new(), missed_bytes: Counter::new() };

fn dirty() -> u64 {
    superslab::dirty_bytes() + large::dirty_bytes() + heap::dirty_bytes()
}

/// How much may be dirty now.
fn bound() -> u64 {
    if config::get::decay_ms() == 0 {
        return 0;
    }
    let live = (superslab::active_bytes() + large::active_bytes()).saturating_sub(heap::free_bytes());
    // Relaxed, here and below: figures that guide a policy and publish nothing; a lost update shifts it a little.
    MIN_BOUND.max(live / LIVE_PART)
        + FUTILE.load(Ordering::Relaxed)
        + ALLOWANCE.load(Ordering::Relaxed).min((live / 4 * 3).max(MIN_ALLOWANCE))
}

/// Turns what was purged and had to be faulted in again into allowance.
fn regret() {
    let fresh = superslab::fresh_bytes() + large::fresh_bytes();
    let taken = fresh.saturating_sub(SEEN_FRESH.swap(fresh, Ordering::Relaxed));
    let purged = PURGED.load(Ordering::Relaxed);
    let regret = taken.min(purged);
    PURGED.store(purged - regret, Ordering::Relaxed);
    ALLOWANCE.fetch_add(regret, Ordering::Relaxed);
    COUNTS.missed_bytes.add(regret);
}

/// Called at the end of a slow path that freed, with no lock held: mostly some loads and a compare.
pub(super) fn after_free() {
    let (dirty, bound) = (dirty(), bound());
    if dirty > bound && config::get::decay_ms() >= 0 {
        over();
    }
}

/// Gives back the excess and an eighth of the bound more, lest every free after this one come here too.
#[cold]
fn over() {
    regret();
    let bound = bound();
    let Some(excess) = dirty().checked_sub(bound) else { return };
    COUNTS.bound.add(1);
    let want = (excess + bound / 8) as usize;
    let mut given = superslab::purge(want.min(superslab::dirty_bytes() as usize));
    if given < want {
        given += large::purge(want - given);
    }
    // Not what is purged inside spans: that could have served no other class.
    PURGED.fetch_add(given as u64, Ordering::Relaxed);
    if given < want
        && let Current::Heap(heap) = heap::current()
    {
        given += heap.purge(want - given);
    }
    if given < want {
        heap::each_heap(|heap| {
            if given < want {
                given += heap.purge(want - given);
            }
        });
    }
    FUTILE.store(dirty().saturating_sub(bound), Ordering::Relaxed);
}

/// Called now and then by slow paths, with no lock held: lets what is idle go once a decay time.
#[cold]
pub(super) fn decay() {
    let period = config::get::decay_ms();
    let (now, last) = (os::monotonic_ms(), LAST.load(Ordering::Relaxed));
    if period < 0 || now.saturating_sub(last) < period as u64 {
        return;
    }
    // Relaxed: only elects who does it.
    if LAST.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_err() || last == 0 {
        return;
    }
    COUNTS.decay.add(1);
    learn::next_epoch();
    FUTILE.store(0, Ordering::Relaxed);
    ALLOWANCE.store(ALLOWANCE.load(Ordering::Relaxed) / 2, Ordering::Relaxed);
    // Half of what the pool and the cache hold, each time: what is in use comes and goes, the rest dwindles.
    superslab::purge(superslab::dirty_bytes() as usize / 2);
    large::purge(large::dirty_bytes() as usize / 2);
    heap::each_heap(|heap| {
        heap.age();
    });
}

/// Gives the calling thread's caches back to the spans, takes every heap's inbox in, and gives everything idle back to
/// the kernel. Returns the bytes given back. Any thread.
pub(crate) fn trim() -> usize {
    flush_thread();
    give_back(true)
}

/// Gives the calling thread's caches back to the spans and sends what it holds of other heaps' blocks.
pub(crate) fn flush_thread() {
    if let Current::Heap(heap) = heap::current() {
        baseline::flush_all(heap);
        hardened::flush_all(heap);
        heap.flush_all();
    }
}

/// Before a request fails: gives back what all heaps hold idle, as far as their locks are free.
#[cold]
pub(super) fn reclaim() {
    give_back(false);
}

fn give_back(wait: bool) -> usize {
    COUNTS.all.add(1);
    let mut given = 0;
    heap::each_heap(|heap| given += heap.trim(wait));
    given + superslab::purge(usize::MAX) + large::purge(usize::MAX)
}
