//! Of box `heap` what goes between heaps, T-REMOTE and the spans that change hands, with the node pool; and their models: their door is as
//! private as in the crate. A heap here has no magazines, and a span of its one class at most. And what the background thread asks of it.

#[path = "../../../../src/heap/inbox.rs"]
mod inbox;
#[path = "../../../../src/heap/inherit.rs"]
mod inherit;
#[path = "../../../../src/heap/node.rs"]
mod node;
#[path = "../../../../src/heap/node_pool.rs"]
mod node_pool;
#[path = "../../../../src/heap/outbox.rs"]
mod outbox;
#[path = "../../../../src/heap/recall.rs"]
mod recall;
#[path = "../../../../src/heap/remote.rs"]
mod remote;
#[path = "../../../../src/heap/strays.rs"]
mod strays;

pub mod model;
pub mod remote_model;

use core::ops::{Deref, DerefMut};
use std::alloc::Layout;
use std::cell::RefCell;

use crate::base::addr::Addr;
use crate::base::sync::{AtomicU32, Ordering};
use crate::class::CLASSES;
use crate::os::Misuse;
use crate::os::lock::{Mutex, MutexGuard};
use crate::span::{self, Dirty, Spans, Stop};
use crate::stats::event::Events;

static UNHEARD: AtomicU32 = AtomicU32::new(0);

/// As in the crate, SeqCst, which to loom is less: the fences must do.
pub(crate) fn is_any_unheard() -> bool {
    UNHEARD.load(Ordering::SeqCst) == 1
}

/// From now on a thread may end without a word.
pub(crate) fn will_be_unheard() {
    UNHEARD.store(1, Ordering::SeqCst);
}

pub(crate) fn is_any_in_use() -> bool {
    true
}

/// Zeroes are a valid value.
pub(crate) struct Heap {
    outbox: outbox::Outbox,
    inbox: inbox::Inbox,
    core: Mutex<Core>,
    events: Events,
}

pub(crate) struct Core {
    spans: [Spans; CLASSES],
    dirty: Dirty,
    hand: recall::Hand,
}

pub(crate) struct Locked<'a> {
    heap: &'a Heap,
    core: MutexGuard<Core>,
}

#[derive(Clone, Copy)]
pub(crate) struct OwnHeap(&'static Heap);

impl Deref for OwnHeap {
    type Target = Heap;

    fn deref(&self) -> &Heap {
        self.0
    }
}

thread_local! {
    static HEAPS: RefCell<Vec<&'static Heap>> = const { RefCell::new(Vec::new()) };
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
fn make() -> &'static Heap {
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
unsafe fn at(owner: Addr) -> &'static Heap {
    // SAFETY: the caller's.
    unsafe { &*owner.as_ptr::<Heap>() }
}

fn misuse(stop: Stop, blocks: &[Addr]) -> Misuse {
    match stop {
        Stop::Misuse(misuse) => misuse,
        Stop::Astray { done, .. } => Misuse { what: "not this heap's", at: blocks[done] },
    }
}

impl Heap {
    fn addr(&self) -> Addr {
        Addr::of(self)
    }

    fn next(&self) -> Option<&'static Heap> {
        HEAPS.with_borrow(|heaps| {
            let me = heaps.iter().position(|heap| core::ptr::eq(*heap, self))?;
            me.checked_sub(1).map(|next| heaps[next])
        })
    }

    fn is_orphan(&self) -> bool {
        false
    }

    fn free_direct(&self, at: Addr) {
        self.free_all(&[at]);
    }

    /// As in the crate.
    fn free_all(&self, blocks: &[Addr]) {
        let (mut heap, mut left) = (self, blocks);
        loop {
            let mut core = heap.look();
            match core.flush(left) {
                Ok(()) => return,
                Err(Stop::Astray { done, owner }) => {
                    left = &left[done..];
                    // SAFETY: a tag's owner.
                    heap = unsafe { at(owner) };
                }
                Err(stop) => misuse(stop, left).die(),
            }
        }
    }

    fn take_in(&self, wait: bool) {
        drop(if wait { Some(self.enter()) } else { self.try_enter() });
    }

    fn look(&self) -> Locked<'_> {
        Locked { heap: self, core: self.core.lock() }
    }

    fn try_look(&self) -> Option<Locked<'_>> {
        self.core.try_lock().map(|core| Locked { heap: self, core })
    }

    fn enter(&self) -> Locked<'_> {
        self.look().drained()
    }

    fn try_enter(&self) -> Option<Locked<'_>> {
        self.try_look().map(Locked::drained)
    }
}

impl Deref for Locked<'_> {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.core
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Core {
        &mut self.core
    }
}

impl Locked<'_> {
    fn drained(mut self) -> Self {
        match self.drain() {
            Ok(()) => self,
            Err(misuse) => misuse.die(),
        }
    }

    fn flush(&mut self, blocks: &[Addr]) -> Result<(), Stop> {
        span::flush(self.heap.addr(), blocks)
    }
}

impl Core {
    fn publish(&mut self) {}
}

/// Nobody is counted or checked.
mod metered {
    pub(super) fn is_marked(_: *mut u8) -> bool {
        false
    }

    pub(super) fn is_checked(_: *mut u8) -> bool {
        false
    }
}

mod light {
    pub(super) const REACH: usize = 0;
}

mod list {
    use super::{HEAPS, Heap};

    pub(super) fn newest() -> Option<&'static Heap> {
        HEAPS.with_borrow(|heaps| heaps.last().copied())
    }

    pub(super) fn each_heap(mut look: impl FnMut(&'static Heap)) {
        let mut at = newest();
        while let Some(heap) = at {
            look(heap);
            at = heap.next();
        }
    }
}

mod late {
    use super::Heap;

    pub(super) fn is_late(_: &Heap) -> bool {
        false
    }
}

mod registry {
    use super::{Heap, list};

    /// All are there to be taken from; a model says which heaps have no thread.
    pub(super) fn try_orphans(mut look: impl FnMut(&'static Heap) -> bool) -> bool {
        let mut done = false;
        list::each_heap(|heap| done = done || look(heap));
        true
    }
}

mod ebb {
    use super::Core;

    pub(super) fn moved(_: &mut Core, _: &mut Core, _: usize) {}
}

fn holds_samples(_: Addr) -> bool {
    false
}

fn holds_empty(_: Addr) -> bool {
    false
}
