//! When memory goes back to the kernel: the one place that sees all who hold some idle.
//!
//! - The bound: as soon as more than max(32 MiB, live / 8) is dirty (free but resident), what is over goes, the coldest
//!   first: slots of the pool, cached large mappings, then pages inside spans.
//! - Decay: what no slow path used for `HAKMEM_DECAY_MS` goes too.
//! - `malloc_trim`: all of it, at once.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use crate::baseline;
use crate::config;
use crate::heap::{self, Current};
use crate::large;
use crate::os;
use crate::superslab;

const MIN_BOUND: u64 = 32 << 20;
const LIVE_PART: u64 = 8;

/// When the last decay was, in milliseconds of the coarse clock.
static LAST: AtomicU64 = AtomicU64::new(0);

fn dirty() -> u64 {
    superslab::dirty_bytes() + large::dirty_bytes() + heap::dirty_bytes()
}

/// How much may be dirty now.
fn bound() -> u64 {
    match config::get::decay_ms() {
        0 => 0,
        _ => MIN_BOUND.max((superslab::active_bytes() + large::active_bytes()) / LIVE_PART),
    }
}

/// Called at the end of a slow path that freed, with no lock held: three loads and a compare, mostly.
pub(super) fn after_free() {
    let (dirty, bound) = (dirty(), bound());
    if dirty > bound && config::get::decay_ms() >= 0 {
        over(dirty - bound);
    }
}

/// Gives back the excess and an eighth of the bound more, lest every free after this one come here too.
#[cold]
fn over(excess: u64) {
    let want = (excess + bound() / 8) as usize;
    let mut given = superslab::purge(want.min(superslab::dirty_bytes() as usize));
    if given < want {
        given += large::purge(want - given);
    }
    if given < want && let Current::Heap(heap) = heap::current() {
        given += heap.purge(want - given);
    }
    if given < want {
        heap::each_heap(|heap| {
            if given < want {
                given += heap.purge(want - given);
            }
        });
    }
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
    if let Current::Heap(heap) = heap::current() {
        baseline::flush_all(heap);
        heap.flush_all();
    }
    give_back(true)
}

/// Before a request fails: gives back what all heaps hold idle, as far as their locks are free.
#[cold]
pub(super) fn reclaim() {
    give_back(false);
}

fn give_back(wait: bool) -> usize {
    let mut given = 0;
    heap::each_heap(|heap| given += heap.trim(wait));
    given + superslab::purge(usize::MAX) + large::purge(usize::MAX)
}
