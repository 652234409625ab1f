//! Birth, exit, adoption and fork of heaps.
//!
//! | state  | owner half belongs to           | leaves by                                                                                |
//! |--------|---------------------------------|------------------------------------------------------------------------------------------|
//! | Active | its thread                      | `leave` → Left; fork, in the child → Orphan; `take_lost`, once the thread is gone → Left |
//! | Left   | whoever is to make it an orphan | `orphan` → Warm or Orphan; `cool_all` → Orphan; fork, in the child → Orphan              |
//! | Warm   | the registry lock's holder      | a thread's birth → Active, newest first, before any orphan; `cool_all` → Left            |
//! | Orphan | the registry lock's holder      | a thread's birth → Active, newest orphan first                                           |
//! | Shared | nobody: it has no magazines     | never: any thread uses it, by its lock (`late.rs`, `samples.rs`, `empty.rs`)             |
//! | Apart  | its user: `apart.rs`            | `put_spare` → Spare                                                                      |
//! | Spare  | nobody: it is empty             | `take_spare` → Apart                                                                     |

use core::sync::atomic::{AtomicBool, Ordering};

use super::late::LATE_THREAD;
use super::list::newest;
use super::registry::{self, REGISTRY};
use super::state::{Heap, OwnHeap};
use super::{inherit, metered, warm};
use crate::class::ClassId;
use crate::config;
use crate::learn;
use crate::os;
use crate::os::lost::Thread as Unheard;
use crate::profile;
use crate::record;

/// A heap that its thread has left, for somebody to make an orphan of: there is one of these for it, and who has that is its user.
#[must_use = "a heap of which nobody makes an orphan is lost"]
pub(crate) struct Left(&'static Heap);

/// Heaps whose threads `take_lost` asks for, in one call: a call of the kernel each. As each new heap looks for so many lost ones, of
/// all heaps that nobody heard of again few are ever waiting.
const ASKS: u32 = 8;

/// Whether a thread has got a heap yet.
static BORN: AtomicBool = AtomicBool::new(false);

/// Whether a thread has, or had, a heap and will not say when it ends.
static UNHEARD: AtomicBool = AtomicBool::new(false);

/// Rounds of thread-exit destructors that we let pass: those of others may still allocate, and do so faster before us.
const ROUNDS: u32 = 2;

/// Gives the calling thread a heap: the newest that waits, else the newest orphan, else a new one. `None`: out of memory.
///
/// `prepare` sets its magazines' bounds before the thread can use it; `on_exit` runs when the thread ends.
pub(crate) fn adopt_or_make(
    prepare: impl FnOnce(OwnHeap),
    on_exit: unsafe extern "C" fn(*mut core::ffi::c_void),
) -> Option<OwnHeap> {
    let heap = registry::adopt()?;
    if !is_any_born() {
        BORN.store(true, Ordering::Relaxed);
    }
    // SAFETY: this thread's from here on: in use, it is given to no other.
    let heap = unsafe { OwnHeap::of(heap) };
    heap.own().exit_rounds.set(0);
    prepare(heap);
    os::tls::set(metered::word_of(heap));
    // After the heap is installed: this may allocate.
    if os::thread_exit::call_at_exit(on_exit, heap.addr().as_ptr()) {
        metered::open(&heap);
    } else {
        REGISTRY.lock().note_unheard(heap.shared());
        UNHEARD.store(true, Ordering::SeqCst);
    }
    Some(heap)
}

/// Whether it can't be known which threads are still there, for some ended, or will, without a word. Any thread.
pub(crate) fn is_any_unheard() -> bool {
    // SeqCst, here and where it is set: see `reclaim::background`.
    UNHEARD.load(Ordering::SeqCst)
}

/// Heaps of threads that ended unheard, one a call, for somebody to make orphans of; `None`: none was found. The calling thread has no heap.
pub(crate) fn take_lost() -> Option<Left> {
    let mut registry = REGISTRY.lock();
    if registry.unheard == 0 {
        return None;
    }
    let me = Unheard::current();
    let mut asks = 0;
    let first = registry.lost_hand.or(newest());
    let mut at = first;
    while let Some(heap) = at {
        at = heap.links.next.get().or(newest());
        if let Some(thread) = heap.links.unheard.get() {
            asks += 1;
            if thread.is_gone(me) {
                registry.lost_hand = at;
                registry.forget_unheard(heap);
                return Some(Left(heap));
            }
        }
        if asks == ASKS || at.map(Heap::addr) == first.map(Heap::addr) {
            break;
        }
    }
    registry.lost_hand = at;
    None
}

/// Whether any thread has, or had, a heap.
pub(super) fn is_any_born() -> bool {
    // Relaxed, here and where it is set: a thread that is not told yet gets a heap at once.
    BORN.load(Ordering::Relaxed)
}

/// Ends the calling thread's use of `heap`, of which somebody must then make an orphan. `None`: not yet, in the first rounds of destructors, where it only asks
/// to be called again.
pub(crate) fn leave(heap: OwnHeap, on_exit: unsafe extern "C" fn(*mut core::ffi::c_void)) -> Option<Left> {
    let rounds = heap.own().exit_rounds.get();
    heap.own().exit_rounds.set(rounds + 1);
    if rounds < ROUNDS {
        os::thread_exit::call_at_exit(on_exit, heap.addr().as_ptr());
        return None;
    }
    if record::is_on() {
        heap.recorder().end_thread();
    }
    heap.links.word.close(os::gate::moment());
    os::tls::set((&raw const LATE_THREAD).cast_mut().cast());
    Some(Left(heap.shared()))
}

/// Makes an orphan of a heap that its thread left, at once or, where it is to wait for the next thread as it is, later: `close` empties the caches of
/// higher boxes, then batches are sent and, unless it waits, the magazines flushed.
/// Any thread.
pub(crate) fn orphan(left: Left, close: impl FnOnce(OwnHeap)) {
    // SAFETY: it has no thread any more, nor gets one before it is an orphan; and there is one `Left` of it.
    let heap = unsafe { OwnHeap::of(left.0) };
    heap.leave_seats();
    close(heap);
    match worth(heap) {
        0 => retire(left),
        held => {
            heap.give_up(false);
            registry::keep(left.0, held);
        }
    }
}

/// The bytes in the magazines of a heap that its thread left, where it is worth it that it waits for the next one with them; else 0. In strict modes it
/// is not, nor where the budget that magazines are of is nearly out.
#[inline(never)] // for the stack
fn worth(heap: OwnHeap) -> usize {
    let held = ClassId::all().map(|class| heap.magazined(class) * class.block_size()).sum();
    let is_plain = config::get::hardened() == config::hardened::OFF && !profile::was_on() && !record::is_on();
    let waits = is_plain && !heap.is_low().get() && !learn::is_tight() && warm::has_room(held);
    if waits { held } else { 0 }
}

/// Heaps that a call which came for something else makes orphans of: some microseconds each.
const STEP: usize = 4;

/// Makes orphans of some that wait if they have waited long, or somebody took fresh memory. Any thread that holds no lock.
#[inline(always)]
pub(crate) fn cool_if_due() {
    if warm::is_due() {
        cool(STEP);
    }
}

/// Makes orphans of all that wait. Any thread that holds no lock.
pub(crate) fn cool_all() {
    // As many as there are now: others may come.
    cool(warm::waiting());
}

#[cold]
#[inline(never)] // for the stack
fn cool(most: usize) {
    for _ in 0..most {
        let Some(heap) = registry::take_warm() else { break };
        retire(Left(heap));
    }
}

/// Empties the magazines of a heap that was left, and makes an orphan of it.
fn retire(left: Left) {
    // SAFETY: as in `orphan`; nor has one that waited a thread.
    let heap = unsafe { OwnHeap::of(left.0) };
    heap.flush_all();
    for class in ClassId::all() {
        heap.bin(class).close(true);
    }
    heap.capacities().reset();
    heap.is_low().set(false);
    heap.enter().release_empty(usize::MAX);
    registry::orphan(left.0);
    inherit::offer(&heap.look());
}
