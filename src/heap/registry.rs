//! The registry: which heaps have a thread, which wait for one, and which are spare. What becomes of them, and when, is told by `lifecycle.rs`.

use core::cell::Cell;
use core::sync::atomic::AtomicBool;

use super::inbox::Inbox;
use super::list::{self, newest};
use super::state::{Heap, Links};
use super::warm;
use crate::base::addr::Addr;
use crate::base::door::Door;
use crate::base::sync::{AtomicPtr, Ordering};
use crate::meta;
use crate::os::lock::Mutex;
use crate::os::lost::Thread as Unheard;

/// # Invariants
/// - R1: orphans form a stack that begins at `orphans`, by `behind`; exactly its members have `orphan` set.
/// - R2: all others, but for those that wait, the shared ones and those apart, are on the list that begins at `used`, by `behind` and back by
///   `before`.
/// - R3: those that were apart and are no longer, `spares` of them, form a queue from `spare` to `last_spare` by `behind`.
/// - R4: those that wait with blocks in their magazines form a stack that begins at `warm`, by `behind`; `warm.rs` counts them and what they hold.
pub(super) struct Registry {
    pub(super) orphans: Option<&'static Heap>,
    pub(super) warm: Option<&'static Heap>,
    pub(super) used: Option<&'static Heap>,
    pub(super) spare: Option<&'static Heap>,
    pub(super) last_spare: Option<&'static Heap>,
    pub(super) spares: usize,
    /// Where `try_orphans` goes on, in the list of all.
    hand: Option<&'static Heap>,
    /// Heaps with `unheard` set.
    pub(super) unheard: usize,
    /// Where `take_lost` goes on, likewise.
    pub(super) lost_hand: Option<&'static Heap>,
}

/// Heaps that `try_orphans` looks at in one call.
const LOOKS: u32 = 64;

pub(super) static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    orphans: None,
    warm: None,
    used: None,
    spare: None,
    last_spare: None,
    spares: 0,
    hand: None,
    unheard: 0,
    lost_hand: None,
});

/// A heap for a thread, in use from now on: the newest that waits, else the newest orphan, else a new one. `None`: out of memory. Any thread.
pub(super) fn adopt() -> Option<&'static Heap> {
    if let Some(heap) = take_warm() {
        return Some(heap);
    }
    let mut registry = REGISTRY.lock();
    let heap = match registry.pop_orphan() {
        Some(heap) => heap,
        None => registry.make()?,
    };
    registry.push_used(heap);
    Some(heap)
}

/// Makes an orphan of a heap that is in use. Its user, who is that no longer.
pub(super) fn orphan(heap: &'static Heap) {
    let mut registry = REGISTRY.lock();
    registry.unlink(heap);
    registry.push_orphan(heap);
}

/// Has a heap that is in use wait for the next thread, with the `held` bytes in its magazines. Its user, who is that no longer.
pub(super) fn keep(heap: &'static Heap, held: usize) {
    let mut registry = REGISTRY.lock();
    registry.unlink(heap);
    registry.push_warm(heap, held);
}

/// The newest heap that waits, in use from now on. `None`: none does. Any thread.
#[inline(never)] // for the stack
pub(super) fn take_warm() -> Option<&'static Heap> {
    if warm::waiting() == 0 {
        return None;
    }
    let mut registry = REGISTRY.lock();
    let heap = registry.pop_warm()?;
    registry.push_used(heap);
    Some(heap)
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
    pub(super) fn make(&mut self) -> Option<&'static Heap> {
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
                held: Cell::new(0),
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

    pub(super) fn note_unheard(&mut self, heap: &'static Heap) {
        if heap.links.unheard.replace(Some(Unheard::current())).is_none() {
            self.unheard += 1;
        }
    }

    pub(super) fn forget_unheard(&mut self, heap: &'static Heap) {
        if heap.links.unheard.take().is_some() {
            self.unheard -= 1;
        }
    }

    pub(super) fn push_orphan(&mut self, heap: &'static Heap) {
        heap.links.orphan.store(true, Ordering::Relaxed);
        heap.links.behind.set(self.orphans.replace(heap));
    }

    /// The newest: its lines are warm, and where a thread follows another and frees what that had, the blocks are its own.
    fn pop_orphan(&mut self) -> Option<&'static Heap> {
        let heap = self.orphans?;
        self.orphans = heap.links.behind.take();
        heap.links.orphan.store(false, Ordering::Relaxed);
        Some(heap)
    }

    fn push_warm(&mut self, heap: &'static Heap, held: usize) {
        heap.links.held.set(held);
        heap.links.behind.set(self.warm.replace(heap));
        warm::note_put(held);
    }

    fn pop_warm(&mut self) -> Option<&'static Heap> {
        let heap = self.warm?;
        self.warm = heap.links.behind.take();
        warm::note_taken(heap.links.held.get());
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
    pub(super) fn unlink(&mut self, heap: &'static Heap) {
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
