//! Birth, exit, adoption and fork of heaps.
//!
//! | state  | owner half belongs to     | leaves by                                              |
//! |--------|---------------------------|--------------------------------------------------------|
//! | Active | its thread                | `leave` → Left; fork, in the child → Orphan; `take_lost`, once the thread is gone → Left |
//! | Left   | whoever is to retire it   | `retire` → Orphan; fork, in the child → Orphan         |
//! | Orphan | the registry lock's holder | a thread's birth → Active, oldest orphan first         |
//! | Late   | nobody: it has no magazines | never: threads that are torn down share it, by its lock |
//! | Apart  | its user: `apart.rs`      | `put_spare` → Spare                                    |
//! | Spare  | nobody: it is empty       | `take_spare` → Apart                                   |

#[cfg(feature = "paranoid")]
#[path = "check_registry.rs"]
mod check;
#[path = "fork.rs"]
mod fork;
#[path = "spare.rs"]
mod spare;

use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use super::list::{self, newest};
use super::{Heap, LATE_THREAD, OwnHeap, inbox::Inbox, inherit, metered};
use crate::base::addr::Addr;
use crate::base::door::Door;
use crate::class::ClassId;
use crate::meta;
use crate::os;
use crate::os::lock::Mutex;
use crate::os::lost::Thread as Unheard;
use crate::record;

#[cfg(feature = "paranoid")]
pub(crate) use check::check_registry;
pub(crate) use fork::orphan_the_lost;
pub(super) use spare::{put_spare, take_spare};

/// A heap's place in the registry's lists; written under the registry lock.
pub(super) struct Links {
    /// All heaps, newest first: set once, before the heap is published.
    pub(super) next: Cell<Option<&'static Heap>>,
    /// The next of the queue or list that it is on.
    behind: Cell<Option<&'static Heap>>,
    /// The one before it on the list of those in use.
    before: Cell<Option<&'static Heap>>,
    /// Written under the registry lock, read by any.
    pub(super) orphan: AtomicBool,
    /// The thread that has it, if that will not say when it ends.
    unheard: Cell<Option<Unheard>>,
    /// Where that thread keeps its word, if others may write to it: it says when it ends.
    pub(super) word: Door,
}

// SAFETY: `next` is written before anybody else knows the heap, and all other cells are looked at under the registry's lock.
unsafe impl Sync for Links {}

/// A heap that its thread has left, for somebody to retire: there is one of these for it, and who has that is its user.
#[must_use = "a heap that nobody retires is lost"]
pub(crate) struct Left(&'static Heap);

/// # Invariants
/// - R1: orphans form a queue from `oldest` to `newest` by `behind`; exactly its members have `orphan` set.
/// - R2: all others, but for the late heap, that of samples and those apart, are on the list that begins at `used`, by `behind` and back by
///   `before`.
/// - R3: those that were apart and are no longer, `spares` of them, form a queue from `spare` to `last_spare` by `behind`.
struct Registry {
    oldest: Option<&'static Heap>,
    newest: Option<&'static Heap>,
    used: Option<&'static Heap>,
    spare: Option<&'static Heap>,
    last_spare: Option<&'static Heap>,
    spares: usize,
    /// Where `try_orphans` goes on, in the list of all.
    hand: Option<&'static Heap>,
    /// Heaps with `unheard` set.
    unheard: usize,
    /// Where `take_lost` goes on, likewise.
    lost_hand: Option<&'static Heap>,
}

/// Heaps that `try_orphans` looks at in one call.
const LOOKS: u32 = 64;
/// Heaps whose threads `take_lost` asks for, in one call: a call of the kernel each. As each new heap looks for so many lost ones, of
/// all heaps that nobody heard of again few are ever waiting.
const ASKS: u32 = 8;

static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    oldest: None,
    newest: None,
    used: None,
    spare: None,
    last_spare: None,
    spares: 0,
    hand: None,
    unheard: 0,
    lost_hand: None,
});
pub(super) static LATE: AtomicPtr<Heap> = AtomicPtr::new(core::ptr::null_mut());

/// Whether a thread has got a heap yet.
static BORN: AtomicBool = AtomicBool::new(false);

/// Whether a thread has, or had, a heap and will not say when it ends.
static UNHEARD: AtomicBool = AtomicBool::new(false);

/// Rounds of thread-exit destructors that we let pass: those of others may still allocate, and do so faster before us.
const ROUNDS: u32 = 2;

/// Gives the calling thread a heap: the oldest orphan, else a new one. `None`: out of memory.
///
/// `prepare` sets its magazines' bounds before the thread can use it; `on_exit` runs when the thread ends.
pub(crate) fn adopt_or_make(
    prepare: impl FnOnce(OwnHeap),
    on_exit: unsafe extern "C" fn(*mut core::ffi::c_void),
) -> Option<OwnHeap> {
    let heap = {
        let mut registry = REGISTRY.lock();
        let heap = match registry.pop_orphan() {
            Some(heap) => heap,
            None => registry.make()?,
        };
        registry.push_used(heap);
        heap
    };
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

/// Heaps of threads that ended unheard, one a call, for somebody to retire; `None`: none was found. The calling thread has no heap.
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

/// Whether it is the one that serves threads without a heap.
pub(super) fn is_late(heap: &Heap) -> bool {
    // Relaxed: only compared.
    core::ptr::eq(LATE.load(Ordering::Relaxed), heap)
}

/// Whether any thread has, or had, a heap.
pub(super) fn is_any_born() -> bool {
    // Relaxed, here and where it is set: a thread that is not told yet gets a heap at once.
    BORN.load(Ordering::Relaxed)
}

/// Ends the calling thread's use of `heap`, which somebody must then retire. `None`: not yet, in the first rounds of destructors, where it only asks
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

/// Makes an orphan of a heap that its thread left: `close` empties the caches of higher boxes, then the magazines are flushed.
/// Any thread.
pub(crate) fn retire(left: Left, close: impl FnOnce(OwnHeap)) {
    // SAFETY: it has no thread any more, nor gets one before it is an orphan; and there is one `Left` of it.
    let heap = unsafe { OwnHeap::of(left.0) };
    heap.leave_seats();
    close(heap);
    heap.flush_all();
    for class in ClassId::all() {
        heap.bin(class).close(true);
    }
    heap.capacities().reset();
    heap.ebb().reset();
    heap.enter().release_empty(usize::MAX);
    {
        let mut registry = REGISTRY.lock();
        registry.unlink(left.0);
        registry.push_orphan(left.0);
    }
    inherit::offer(&heap.look());
}

/// The heap for threads that have none: those past their teardown, and all inside the loader's start.
pub(crate) fn late_heap() -> Option<&'static Heap> {
    shared_heap(&LATE)
}

/// The heap at `place`, which no thread has; made when it is first asked for.
pub(super) fn shared_heap(place: &AtomicPtr<Heap>) -> Option<&'static Heap> {
    // Acquire pairs with the Release below: the heap is initialised.
    let shared = place.load(Ordering::Acquire);
    if !shared.is_null() {
        // SAFETY: set once to a heap, and heaps are never freed.
        return Some(unsafe { &*shared });
    }
    let mut registry = REGISTRY.lock();
    // Relaxed: the lock orders us after whoever made it.
    let shared = place.load(Ordering::Relaxed);
    if !shared.is_null() {
        // SAFETY: as above.
        return Some(unsafe { &*shared });
    }
    let heap = registry.make()?;
    place.store(Addr::of(heap).as_ptr(), Ordering::Release);
    Some(heap)
}

/// Calls `look` with every heap that a thread has, under the registry lock: none gets another meanwhile. Any thread.
pub(super) fn each_used(mut look: impl FnMut(&'static Heap)) {
    let registry = REGISTRY.lock();
    let mut at = registry.used;
    while let Some(heap) = at {
        at = heap.links.behind.get();
        look(heap);
    }
}

/// Calls `look` with orphans, from where the last call ended, until it says that it is done. No thread gets one of them meanwhile. Says whether
/// there are no others. Nothing happens when the registry is busy. Any thread, whichever locks it holds.
pub(super) fn try_orphans(mut look: impl FnMut(&'static Heap) -> bool) -> bool {
    let Some(mut registry) = REGISTRY.try_lock() else { return false };
    let first = registry.hand.or(newest());
    let mut at = first;
    for _ in 0..LOOKS {
        let Some(heap) = at else { break };
        if heap.is_orphan() && look(heap) {
            break;
        }
        at = heap.links.next.get().or(newest());
        if at.map(Heap::addr) == first.map(Heap::addr) {
            registry.hand = at;
            return true;
        }
    }
    registry.hand = at;
    false
}

impl Heap {
    /// Whether no thread has it, for a moment. Any thread.
    pub(crate) fn is_orphan(&self) -> bool {
        // Relaxed: a figure, but for those who hold the registry lock.
        self.links.orphan.load(Ordering::Relaxed)
    }
}

/// Whether any thread has a heap. Any thread.
pub(crate) fn is_any_in_use() -> bool {
    REGISTRY.lock().used.is_some()
}

impl Registry {
    fn make(&mut self) -> Option<&'static Heap> {
        let record = meta::alloc(size_of::<Heap>())?.as_ptr::<Heap>();
        // SAFETY: a zeroed record, ours alone; bins, outbox, cells, events and `core` (a free lock, spans without any) are valid
        // as zeroes, so only what is not zero is written: the pages of an unused half stay untouched, and nothing of a heap
        // is ever on a stack, which may be a coroutine's of a page.
        unsafe {
            (&raw mut (*record).inbox).write(Inbox::new());
            (&raw mut (*record).links).write(Links {
                next: Cell::new(newest()),
                behind: Cell::new(None),
                before: Cell::new(None),
                orphan: AtomicBool::new(false),
                unheard: Cell::new(None),
                word: Door::closed(),
            });
        }
        // SAFETY: initialised, and never freed.
        let heap = unsafe { &*record };
        list::put(heap);
        Some(heap)
    }

    fn note_unheard(&mut self, heap: &'static Heap) {
        if heap.links.unheard.replace(Some(Unheard::current())).is_none() {
            self.unheard += 1;
        }
    }

    fn forget_unheard(&mut self, heap: &'static Heap) {
        if heap.links.unheard.take().is_some() {
            self.unheard -= 1;
        }
    }

    fn push_orphan(&mut self, heap: &'static Heap) {
        heap.links.orphan.store(true, Ordering::Relaxed);
        heap.links.behind.set(None);
        match self.newest.replace(heap) {
            Some(newest) => newest.links.behind.set(Some(heap)),
            None => self.oldest = Some(heap),
        }
    }

    fn pop_orphan(&mut self) -> Option<&'static Heap> {
        let heap = self.oldest?;
        self.oldest = heap.links.behind.take();
        if self.oldest.is_none() {
            self.newest = None;
        }
        heap.links.orphan.store(false, Ordering::Relaxed);
        Some(heap)
    }

    fn push_used(&mut self, heap: &'static Heap) {
        let behind = self.used.replace(heap);
        heap.links.before.set(None);
        heap.links.behind.set(behind);
        if let Some(behind) = behind {
            behind.links.before.set(Some(heap));
        }
    }

    /// Takes a heap off the list of those in use.
    fn unlink(&mut self, heap: &'static Heap) {
        let (before, behind) = (heap.links.before.take(), heap.links.behind.take());
        match before {
            Some(before) => before.links.behind.set(behind),
            None => self.used = behind,
        }
        if let Some(behind) = behind {
            behind.links.before.set(before);
        }
    }
}
