//! Profiling, recording, and hardening, as the hot paths see them: not at all. While a thread's allocations are counted, or checked,
//! its TLS word names a second set of bins, in its heap's last pages, which hold at most what was counted before (`lent.rs`) and have no room:
//! other calls take the slow entry, which counts or checks and goes on to the real ones.
//!
//! | word                       | means                       |
//! |----------------------------|-----------------------------|
//! | in `NO_HEAP`, `LATE_THREAD` | no heap                    |
//! | a heap                     | neither                     |
//! | a heap's second bins       | counted; `MARK` in a page   |
//! | the same, further on       | checked, and counted if all are; `CHECK` in a page, or `FULL` |
//!
//! The word changes while its thread runs: whoever switches the profiler writes to the words of all. That does no harm wherever it comes, for
//! - only a heap's own two values are exchanged for each other (compare-exchange), so whichever of them a thread reads, and however often
//!   within one call, it finds its own heap (`plain`);
//! - read as bins, either is valid, and of both what is popped is a free block of this thread's;
//! - an aligned word is read and written whole, by the asm of `os::tls` as by an atomic;
//! - the thread writes to its word itself only before its heap's `Door` is open and after it has closed it, but in `follow`, where it
//!   exchanges the same two values.
//!
//! The recorder is on from the first call, or never, and goes off by itself. The profiler may be switched at any time.
//!
//! A switch may pass a thread by, that is just getting its heap, or says nothing when it ends. `follow` sees to those at their next slow path,
//! and a counted thread is told by its next call.

use core::mem::offset_of;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use super::last_pages::{CHECK, FULL, MARK, MARKS};
use super::registry;
use super::state::{Heap, OwnHeap};
use crate::base::addr::Addr;
use crate::config;
use crate::os::{self, tls};
use crate::profile::{self, Meter};
use crate::record::{self, Recorder};

/// From a heap to its last two pages.
const TO_PAGE: usize = offset_of!(Heap, metered);
/// From a heap to its second bins.
pub(crate) const TO_BINS: usize = TO_PAGE + MARK;

/// Whether a TLS word says that its thread is counted, and not checked.
#[inline(always)]
pub(crate) fn is_marked(word: *mut u8) -> bool {
    word.addr() & MARK != 0
}

/// Whether a TLS word says that its thread is checked, lightly.
#[inline(always)]
pub(crate) fn is_checked(word: *mut u8) -> bool {
    word.addr() & CHECK != 0
}

/// The same in full.
#[inline(always)]
pub(crate) fn is_full(word: *mut u8) -> bool {
    word.addr() & FULL != 0
}

/// Whether it says either.
#[inline(always)]
pub(crate) fn is_hardened(word: *mut u8) -> bool {
    word.addr() & (CHECK | FULL) != 0
}

/// Whether it says neither that, nor that it is counted.
#[inline(always)]
pub(crate) fn is_plain(word: *mut u8) -> bool {
    word.addr() & MARKS == 0
}

/// The word as it is where nothing is counted or checked.
#[inline(always)]
pub(crate) fn plain(word: *mut u8) -> *mut u8 {
    match word.addr() & MARKS {
        0 => word,
        mark => word.wrapping_sub(TO_PAGE + mark),
    }
}

/// The same of a word that says that its thread is checked.
#[inline(always)]
pub(crate) fn of_checked(word: *mut u8) -> *mut u8 {
    debug_assert!(is_checked(word));
    word.wrapping_sub(TO_PAGE + CHECK)
}

/// The same of one that is checked in full.
#[inline(always)]
pub(crate) fn plain_of_full(word: *mut u8) -> *mut u8 {
    debug_assert!(is_full(word));
    word.wrapping_sub(TO_PAGE + FULL)
}

/// The heap whose second bins the calling thread's TLS word names, where it is checked in full.
///
/// # Safety
/// `word` is that, and `is_full(word)`.
#[inline(always)]
pub(crate) unsafe fn of_full(word: *mut u8) -> OwnHeap {
    // SAFETY: such a word is that of a heap.
    let heap = unsafe { &*plain_of_full(word).cast() };
    // SAFETY: the calling thread's word (caller).
    unsafe { OwnHeap::of(heap) }
}

/// A word that names `heap`, an arena's, with magazines that are always empty: nothing is ever lent to an arena.
pub(crate) fn closed(heap: &Heap) -> *mut u8 {
    word(heap, MARK)
}

/// The calling thread's heap, if its allocations are counted, or checked.
#[inline(always)]
pub(crate) fn metered() -> Option<OwnHeap> {
    let word = tls::get();
    // SAFETY: as asked.
    (word.addr() & MARKS != 0).then(|| unsafe { of_marked(word) })
}

/// The heap whose second bins the calling thread's TLS word names.
///
/// # Safety
/// `word` is that, and not `is_plain(word)`.
#[inline(always)]
pub(crate) unsafe fn of_marked(word: *mut u8) -> OwnHeap {
    // SAFETY: such a word is that of a heap.
    let heap = unsafe { &*plain(word).cast() };
    // SAFETY: the calling thread's word (caller).
    unsafe { OwnHeap::of(heap) }
}

/// Whether threads' allocations are to be counted: profiled, recorded, or both.
#[inline(always)]
pub(super) fn is_wanted() -> bool {
    profile::is_on() || record::is_on()
}

/// What the word of a thread is to say: one of the three, or nothing.
#[inline(always)]
fn due() -> usize {
    match config::get::hardened() {
        config::hardened::LIGHT => CHECK,
        config::hardened::FULL => FULL,
        _ if is_wanted() => MARK,
        _ => 0,
    }
}

/// The word of the calling thread, which is getting `heap`.
pub(super) fn word_of(heap: OwnHeap) -> *mut u8 {
    if record::is_on() {
        heap.recorder().change_thread();
    }
    word(&heap, due())
}

fn word(heap: &Heap, mark: usize) -> *mut u8 {
    let heap = heap.addr();
    if mark == 0 { heap.as_ptr() } else { heap.offset(TO_PAGE + mark).as_ptr() }
}

impl OwnHeap {
    #[inline(always)]
    pub(crate) fn meter(self) -> &'static Meter {
        &self.metered().meter
    }

    #[inline(always)]
    pub(crate) fn recorder(self) -> &'static Recorder {
        &self.metered().recorder
    }
}

/// Has the calling thread, whose heap it is, counted or not as it should be. Any slow path.
#[inline(always)]
pub(crate) fn follow(heap: OwnHeap) {
    let word = tls::get();
    if word.addr() & MARKS != due() {
        follow_slow(heap);
    }
}

#[cold]
#[inline(never)]
fn follow_slow(heap: OwnHeap) {
    tls::set(word(&heap, due()));
}

/// The process whose threads' words the doors lead to: a child made behind fork's back has none of them.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Lets others write to the calling thread's word, whose heap it is.
pub(super) fn open(heap: &Heap) {
    // Relaxed, both: only compared; of several first threads all store the same.
    if PROCESS.load(Ordering::Relaxed) == 0 {
        words_are_of_this_process();
    }
    heap.links.word.open(tls::place());
}

pub(super) fn words_are_of_this_process() {
    PROCESS.store(os::process_id() as u32, Ordering::Relaxed);
}

/// Has the allocations of all threads counted, or none, as `is_wanted` says. Behind the gate.
pub(crate) fn meter_all() {
    // Who is checked is so for ever, and asks whether he is counted.
    if PROCESS.load(Ordering::Relaxed) != os::process_id() as u32 || due() & (CHECK | FULL) != 0 {
        return;
    }
    registry::each_used(|heap| {
        heap.links.word.visit(|place| {
            // SAFETY: the thread's word, which is there until it closes the door.
            let at = unsafe { &*Addr(place).as_ptr::<AtomicPtr<u8>>() };
            let (now, before) = if is_wanted() { (MARK, 0) } else { (0, MARK) };
            // Relaxed: the word publishes nothing. Another value is that of a thread that is leaving.
            let _ = at.compare_exchange(word(heap, before), word(heap, now), Ordering::Relaxed, Ordering::Relaxed);
        });
    });
}

const _: () = {
    assert!(offset_of!(Heap, metered) % 4096 == 0, "a marked word is known by its low bits");
};
