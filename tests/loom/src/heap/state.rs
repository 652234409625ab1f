//! A heap without magazines.

use core::ops::Deref;
use core::sync::atomic::AtomicBool;
use std::alloc::Layout;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use loom::cell::UnsafeCell;

use super::inbox::Inbox;
use super::list;
use super::outbox::Outbox;
use crate::base::addr::Addr;
use crate::base::door::Door;
use crate::class::CLASSES;
use crate::os::lock::Mutex;
use crate::os::lost::Thread as Unheard;
use crate::span::{Dirty, Spans};
use crate::stats::event::Events;

/// Zeroes are a valid value.
pub(crate) struct Heap {
    pub(super) outbox: Outbox,
    pub(super) inbox: Inbox,
    pub(super) core: Mutex<Core>,
    pub(super) events: Events,
    pub(super) links: Links,
}

/// As in the crate.
pub(super) struct Links {
    pub(super) next: Cell<Option<&'static Heap>>,
    pub(super) behind: Cell<Option<&'static Heap>>,
    pub(super) before: Cell<Option<&'static Heap>>,
    pub(super) held: Cell<usize>,
    pub(super) orphan: AtomicBool,
    pub(super) unheard: Cell<Option<Unheard>>,
    pub(super) word: Door,
}

pub(crate) struct Core {
    pub(super) spans: [Spans; CLASSES],
    pub(super) dirty: Dirty,
    pub(super) hand: Option<&'static Heap>,
}

#[derive(Clone, Copy)]
pub(crate) struct OwnHeap(pub(super) &'static Heap);

impl Deref for OwnHeap {
    type Target = Heap;

    fn deref(&self) -> &Heap {
        self.0
    }
}

thread_local! {
    pub(super) static HEAPS: RefCell<Vec<&'static Heap>> = const { RefCell::new(Vec::new()) };
    /// Each heap's owner half: one cell, so that loom sees when two use it without an order between them.
    static HALVES: RefCell<BTreeMap<usize, Rc<UnsafeCell<u32>>>> = const { RefCell::new(BTreeMap::new()) };
}

const _: () = assert!(size_of::<Heap>() <= APART);
const HEAPS_MAX: usize = 4;
/// As in the crate, bytes from heap to heap.
const APART: usize = 32 << 10;

thread_local! {
    /// Where heaps are, the same in each execution: where a batch is open follows from their addresses, and executions must be alike.
    static ROOM: *mut u8 = {
        let layout = Layout::from_size_align(HEAPS_MAX * APART, HEAPS_MAX * APART).unwrap();
        // SAFETY: its length is not 0.
        unsafe { std::alloc::alloc_zeroed(layout) }
    };
}

/// Starts a new execution.
pub(crate) fn reset() {
    HEAPS.take();
    HALVES.take();
}

/// A heap's owner half, before anybody knows the heap.
pub(super) fn make_half(heap: &Heap) {
    HALVES.with_borrow_mut(|halves| halves.insert(heap.addr().0, Rc::new(UnsafeCell::new(0))));
}

/// A heap, the newest, before there are threads.
pub(super) fn make() -> &'static Heap {
    let index = HEAPS.with_borrow(Vec::len);
    assert!(index < HEAPS_MAX);
    // SAFETY: within the room, which nobody frees; those of the last execution are forgotten.
    let at = unsafe { ROOM.with(|room| *room).add(index * APART) };
    // SAFETY: as above; zeroes are valid, and it stays as long as the execution.
    let heap: &'static Heap = unsafe {
        at.write_bytes(0, size_of::<Heap>());
        &*at.cast::<Heap>()
    };
    heap.links.next.set(list::newest());
    heap.touch();
    list::put(heap);
    heap
}

/// SAFETY: as in the crate.
pub(super) unsafe fn at(owner: Addr) -> &'static Heap {
    // SAFETY: the caller's.
    unsafe { &*owner.as_ptr::<Heap>() }
}

impl Heap {
    pub(super) fn addr(&self) -> Addr {
        Addr::of(self)
    }

    /// Uses the owner half, as its user.
    pub(super) fn use_half(&self) {
        let half = HALVES.with_borrow(|halves| halves.get(&self.addr().0).cloned()).unwrap();
        // SAFETY: loom checks that nobody else is in the cell.
        half.with_mut(|uses| unsafe { *uses += 1 });
    }
}
