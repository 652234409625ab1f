//! Heaps that wait for the next thread as the last one left them, with blocks in their magazines: where threads follow one another, these are neither
//! flushed nor filled anew. How many there may be, and when they are to be cooled, made orphans like any other; what is done is told by `lifecycle.rs`.
//!
//! To others such a heap is that of a thread that does nothing. What its magazines hold nobody can have, nor any span that it keeps, so little may wait so.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::stats::level::IN_USE;
use crate::superslab;

/// Bytes that all that wait may hold in their magazines: so many, or a part of what is in use.
const LEAST: usize = 128 << 10;
const PART: u64 = 32;

/// How many wait, and what they hold. Written under the registry's lock.
static WAITING: AtomicUsize = AtomicUsize::new(0);
static HELD: AtomicUsize = AtomicUsize::new(0);
/// Whether they have waited long, and the bytes that had been taken fresh when the last of them came.
static OLD: AtomicBool = AtomicBool::new(false);
static FRESH: AtomicU64 = AtomicU64::new(0);

// Relaxed, throughout: guides, but for who has the registry's lock.

/// How many wait.
pub(crate) fn waiting() -> usize {
    WAITING.load(Ordering::Relaxed)
}

/// Whether one that holds so many bytes may wait, too.
pub(super) fn has_room(held: usize) -> bool {
    HELD.load(Ordering::Relaxed) + held <= LEAST.max((IN_USE.slots_bytes() / PART) as usize)
}

/// One more waits. Under the registry's lock.
pub(super) fn note_put(held: usize) {
    WAITING.store(waiting() + 1, Ordering::Relaxed);
    HELD.store(HELD.load(Ordering::Relaxed) + held, Ordering::Relaxed);
    FRESH.store(superslab::fresh_bytes(), Ordering::Relaxed);
}

/// One waits no more. Under the registry's lock.
pub(super) fn note_taken(held: usize) {
    WAITING.store(waiting() - 1, Ordering::Relaxed);
    HELD.store(HELD.load(Ordering::Relaxed) - held, Ordering::Relaxed);
    if waiting() == 0 {
        OLD.store(false, Ordering::Relaxed);
    }
}

/// Notes that what waits has waited long.
pub(crate) fn note_old() {
    OLD.store(waiting() > 0, Ordering::Relaxed);
}

/// Whether what waits is to be cooled: it has waited long, or somebody took fresh memory, which it might have spared him.
#[inline(always)]
pub(super) fn is_due() -> bool {
    waiting() > 0 && (OLD.load(Ordering::Relaxed) || superslab::fresh_bytes() != FRESH.load(Ordering::Relaxed))
}
