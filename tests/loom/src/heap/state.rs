//! A heap without magazines.

use core::ops::Deref;
use std::alloc::Layout;
use std::cell::RefCell;

use super::inbox::Inbox;
use super::outbox::Outbox;
use crate::base::addr::Addr;
use crate::class::CLASSES;
use crate::os::lock::Mutex;
use crate::span::{Dirty, Spans};
use crate::stats::event::Events;

/// Zeroes are a valid value.
pub(crate) struct Heap {
    pub(super) outbox: Outbox,
    pub(super) inbox: Inbox,
    pub(super) core: Mutex<Core>,
    pub(super) events: Events,
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
    heap.touch();
    HEAPS.with_borrow_mut(|heaps| heaps.push(heap));
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

    pub(super) fn next(&self) -> Option<&'static Heap> {
        HEAPS.with_borrow(|heaps| {
            let me = heaps.iter().position(|heap| core::ptr::eq(*heap, self))?;
            me.checked_sub(1).map(|next| heaps[next])
        })
    }

    pub(super) fn is_orphan(&self) -> bool {
        false
    }
}
