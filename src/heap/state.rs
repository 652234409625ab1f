//! A heap: all that it consists of, and whose each part is. What is done with a part is told by the file of its name.
//!
//! Who may do what with a heap, as types:
//!
//! | type             | whose it is                                            | what it leads to                           |
//! |------------------|--------------------------------------------------------|--------------------------------------------|
//! | `&Heap`          | any thread's                                           | the lock, the inbox, what is atomic        |
//! | `OwnHeap`        | the user's: the thread whose TLS word names the heap   | that, magazines, open batches, the meters  |
//! | `Left`           | whoever is to make an orphan of a heap that was left   | an `OwnHeap`, as long as it is none        |
//! | `Locked`         | who has the heap's lock                                | its spans                                  |
//!
//! An arena's heap has a user too: whoever the program lets use the arena, or the thread whose seat it is.

use core::cell::Cell;
use core::marker::PhantomData;
use core::mem::offset_of;
use core::ops::Deref;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize};

use super::bin::{Bin, Bins};
use super::inbox::Inbox;
use super::last_pages::Metered;
use super::outbox::Outbox;
use super::tide::Tide;
use crate::base::addr::Addr;
use crate::base::at_hand::AtHand;
use crate::base::door::Door;
use crate::class::{CLASSES, ClassId};
use crate::learn::{Depth, Purse};
use crate::os::lock::Mutex;
use crate::os::lost::Thread as Unheard;
use crate::span::{Dirty, Spans};
use crate::stats::allowance::Allowance;
use crate::stats::event::{EVENTS, Events};

/// # Invariants
/// - H1: a block in a magazine, a FastCache, an SLL or a batch is counted as used by its span.
/// - H2: the blocks in `bins[c]` are of class c and of this heap's spans (a block freed twice may be there twice).
/// - H3: every span on `core`'s lists has this heap as its owner, and its granules' tags say so.
#[repr(C, align(4096))]
pub(crate) struct Heap {
    // What its user writes; what others may look at says so where it is made.
    pub(super) bins: Bins,
    pub(super) outbox: Outbox,
    pub(super) seated: Seated,
    // Shared, from here on.
    pub(super) inbox: Inbox,
    // Of these two, what classes up to a page have lies in two pages: who uses no others touches four of the heap's.
    pub(super) core: Mutex<Core>,
    /// Counted by the owner or under the lock, as each event says; read by any.
    pub(crate) events: Events,
    pub(super) links: Links,
    pub(super) apart: Apart,
    pub(super) seat: Seat,
    // The owner's again.
    pub(super) own: Owned<Half>,
    /// Only touched while it is profiled.
    pub(super) metered: Owned<Metered>,
}

/// A heap in the hands of its user. Not another thread's: neither Send nor Sync.
#[derive(Clone, Copy)]
pub(crate) struct OwnHeap {
    heap: &'static Heap,
    stays: PhantomData<*mut ()>,
}

/// A part of a heap that nobody but its user reads or writes.
#[repr(transparent)]
pub(super) struct Owned<T>(T);

// SAFETY: only an `OwnHeap` leads inside, by the functions below, and all of a heap's are one thread's at a time (`OwnHeap::of`). From one
// user to the next it goes by the registry's lock, or as the program says.
unsafe impl<T> Sync for Owned<T> {}

/// What is the user's own, but for magazines and batches, which others look at.
pub(super) struct Half {
    /// The baseline box's state of this thread; null until that box makes it.
    pub(super) baseline: Cell<Addr>,
    /// The hardened box's, likewise.
    hardened: Cell<Addr>,
    pub(super) exit_rounds: Cell<u32>,
    pub(super) ticks: Cell<u32>,
    capacities: Capacities,
    /// Whether it has let go (`ebb.rs`): a class then gets a magazine by allocating, not by freeing.
    is_low: Cell<bool>,
    /// Whether it is to let go, once the free that found so has done its own.
    ebbs: Cell<bool>,
    pub(super) beats: Cell<u32>,
}

impl Deref for OwnHeap {
    type Target = Heap;

    #[inline(always)]
    fn deref(&self) -> &Heap {
        self.heap
    }
}

impl OwnHeap {
    /// # Safety
    /// The calling thread is the heap's user as long as it has this or a copy: its TLS word names the heap; or nobody else can come to be, for
    /// the heap is in no list from which it is given out, or its lock is held; or it is an arena's, which the program lets this thread use.
    #[inline(always)]
    pub(crate) unsafe fn of(heap: &'static Heap) -> OwnHeap {
        OwnHeap { heap, stays: PhantomData }
    }

    /// The heap as anybody sees it.
    #[inline(always)]
    pub(crate) fn shared(self) -> &'static Heap {
        self.heap
    }

    /// A class's magazine.
    #[inline(always)]
    pub(crate) fn bin(self, class: ClassId) -> &'static Bin {
        // SAFETY: we are the heap's user.
        unsafe { self.heap.bins.of(class) }
    }

    /// What is lent of it.
    pub(super) fn second_bin(self, class: ClassId) -> &'static Bin {
        // SAFETY: likewise.
        unsafe { self.metered().bins.of(class) }
    }

    #[inline(always)]
    pub(super) fn own(self) -> &'static Half {
        &self.heap.own.0
    }

    pub(super) fn capacities(self) -> &'static Capacities {
        &self.own().capacities
    }

    pub(super) fn is_low(self) -> &'static Cell<bool> {
        &self.own().is_low
    }

    pub(super) fn ebbs(self) -> &'static Cell<bool> {
        &self.own().ebbs
    }

    #[inline(always)]
    pub(super) fn metered(self) -> &'static Metered {
        &self.heap.metered.0
    }

    /// Where the baseline box's state is; null until that box makes it.
    #[inline(always)]
    pub(crate) fn baseline(self) -> &'static Cell<Addr> {
        &self.own().baseline
    }

    /// The hardened box's, likewise.
    #[inline(always)]
    pub(crate) fn hardened(self) -> &'static Cell<Addr> {
        &self.own().hardened
    }
}

impl Heap {
    pub(crate) fn addr(&self) -> Addr {
        Addr::of(self)
    }

    /// Blocks of a class in its magazine. Any thread, for a figure that need not be exact.
    pub(super) fn magazined(&self, class: ClassId) -> usize {
        self.bins.len(class)
    }

    /// The same of those that are lent.
    pub(super) fn lent_out(&self, class: ClassId) -> usize {
        self.metered.0.bins.len(class)
    }
}

/// The bin at `offset` bytes (class index * BIN_STRIDE) of whatever the TLS word points to.
///
/// # Safety
/// `offset` is a multiple of BIN_STRIDE below `CLASSES * BIN_STRIDE`. `word` is the calling thread's TLS word, or a heap of which it is the user.
#[inline(always)]
pub(crate) unsafe fn bin_at(word: *mut u8, offset: usize) -> &'static Bin {
    // SAFETY: a heap begins with its bins, as does a profiled one's second set; both static stand-ins are as long and zero, which is
    // a valid Bin.
    unsafe { &*word.add(offset).cast::<Bin>() }
}

/// The heap at a tag's owner address.
///
/// # Safety
/// `owner` comes from a non-null `Tag::owner`.
pub(crate) unsafe fn at(owner: Addr) -> &'static Heap {
    // SAFETY: tags name heaps, and heaps are never freed.
    unsafe { &*owner.as_ptr::<Heap>() }
}

/// What the learner keeps for a heap (`capacity.rs`); zeroes are a valid value.
pub(super) struct Capacities {
    pub(super) depths: [Cell<Depth>; CLASSES],
    pub(super) purse: Purse,
    /// The epoch of the last review.
    pub(super) epoch: Cell<u32>,
    /// The big class that lost its magazine to another one last, and how often that happened of late.
    pub(super) hand: Cell<usize>,
    pub(super) losses: Cell<u32>,
    /// The class whose magazine is looked at next where another one wants its room.
    pub(super) turn: Cell<usize>,
}

/// What the heap's lock guards (`behind.rs`).
pub(crate) struct Core {
    pub(crate) spans: [Spans; CLASSES],
    pub(crate) dirty: Dirty,
    /// What `DIRTY`, `FREE` and `GONE` count of `dirty.bytes`, `dirty.free` and `dirty.gone`.
    pub(super) published: (usize, usize, usize),
    pub(super) tide: Tide,
    /// Blocks that others sent back and that did not go out again since: so many go out scattered (`refill.rs`).
    pub(super) returned: u32,
    /// Where its next look for what waits for it begins (`recall.rs`): it goes round. `None`: at the newest heap.
    pub(super) hand: Option<&'static Heap>,
}

/// A heap's place in the lists of `registry.rs`; written under the registry lock.
pub(super) struct Links {
    /// All heaps, newest first: set once, before the heap is published.
    pub(super) next: Cell<Option<&'static Heap>>,
    /// The next of the stack, queue or list that it is on.
    pub(super) behind: Cell<Option<&'static Heap>>,
    /// The one before it on the list of those in use.
    pub(super) before: Cell<Option<&'static Heap>>,
    /// Bytes of what its magazines hold, while it waits with that.
    pub(super) held: Cell<usize>,
    /// Written under the registry lock, read by any.
    pub(super) orphan: AtomicBool,
    /// The thread that has it, if that will not say when it ends.
    pub(super) unheard: Cell<Option<Unheard>>,
    /// Where that thread keeps its word, if others may write to it: it says when it ends.
    pub(super) word: Door,
}

// SAFETY: `next` is written before anybody else knows the heap, and all other cells are looked at under the registry's lock.
unsafe impl Sync for Links {}

/// A thread's part of `seats.rs`, where one without a heap reads zeroes.
pub(super) struct Seated {
    /// Its seats by their homes' words, with `SPECIAL` for a home of which more is to be done with a block than to hand it out.
    pub(super) at_hand: AtHand,
    /// Whether it ever had any. Written by the thread, or by who makes its heap an orphan.
    pub(super) any: Cell<bool>,
    pub(super) first: Cell<Option<&'static Heap>>,
}

/// A seat's part, and that of the home, the heap that stands for all of them. Under `SEATS`; zeroes are a valid value: nobody's.
pub(super) struct Seat {
    /// The heap of the thread that has it.
    pub(super) thread: Cell<Option<&'static Heap>>,
    /// The next one of that home, and of that thread.
    pub(super) next: Cell<Option<&'static Heap>>,
    pub(super) beside: Cell<Option<&'static Heap>>,
}

// SAFETY: `any` is the user's, or whose who makes the heap an orphan; `first` is looked at by any, and is under `SEATS`.
unsafe impl Sync for Seated {}
// SAFETY: all of it is under `SEATS`; whoever ends or walks the seats of a home has that to himself, or holds the lock.
unsafe impl Sync for Seat {}

/// An arena's part (`apart.rs`), on lines of its own: the first words are read by whoever frees. Zeroes are a valid value.
///
/// # Invariants
/// - A1: of a class in `known` and not in `moved`, entries `base .. base + full` of the magazine are its blocks that are not free in spans, as long
///   as `is_mixed` is not set.
/// - A2: the allowance counts `Core::tide.used`.
#[repr(C, align(64))]
pub(super) struct Apart {
    /// The record of what it belongs to; 0: it is no such heap.
    pub(super) owner: AtomicUsize,
    pub(super) allowance: AtomicPtr<Allowance>,
    /// How often its blocks were freed at once. Written under the lock.
    pub(super) turn: AtomicU32,
    /// Whether a block came back singly since then.
    pub(super) is_mixed: AtomicBool,
    /// The user's, from here on. Classes that were asked for, a bit each, and those filled since then.
    pub(super) known: Cell<u128>,
    pub(super) moved: Cell<u128>,
    /// What lay in each magazine when it was filled last.
    pub(super) full: [Cell<u16>; CLASSES],
}

// SAFETY: the cells are the user's; of a heap that several threads take from by its lock, which has no user, whose who holds that.
unsafe impl Sync for Apart {}

const _: () = {
    // Up to 4,096 bytes.
    const PAGE_CLASSES: usize = 36;
    const EVENTS_AT: usize = offset_of!(Heap, events);
    assert!(offset_of!(Heap, core) + size_of::<Spans>() * PAGE_CLASSES <= 2 * 4096, "see `Heap`");
    assert!(EVENTS_AT >= 3 * 4096 && EVENTS_AT + size_of::<[u64; EVENTS]>() * PAGE_CLASSES <= 4 * 4096, "see `Heap`");
    assert!(size_of::<Heap>() <= 32 << 10, "a heap is one record of meta");
    assert!(size_of::<Heap>() == 32_768, "docs/ARCHITECTURE.md, section 5, says so");
};
