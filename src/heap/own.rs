//! Who may do what with a heap, as types:
//!
//! | type             | whose it is                                            | what it leads to                           |
//! |------------------|--------------------------------------------------------|--------------------------------------------|
//! | `&Heap`          | any thread's                                           | the lock, the inbox, what is atomic        |
//! | `OwnHeap`        | the user's: the thread whose TLS word names the heap   | that, magazines, open batches, the meters  |
//! | `Left`           | whoever is to retire a heap that its thread left       | an `OwnHeap`, as long as it is not retired |
//! | `Locked`         | who has the heap's lock                                | its spans                                  |
//!
//! An arena's heap has a user too: whoever the program lets use the arena, or the thread whose seat it is.

use core::cell::Cell;
use core::marker::PhantomData;
use core::ops::Deref;

use super::{Bin, Heap, capacity, ebb, metered};
use crate::base::addr::Addr;
use crate::class::ClassId;

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
    capacities: capacity::Capacities,
    ebb: ebb::Ebb,
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

    pub(super) fn capacities(self) -> &'static capacity::Capacities {
        &self.own().capacities
    }

    pub(super) fn ebb(self) -> &'static ebb::Ebb {
        &self.own().ebb
    }

    #[inline(always)]
    pub(super) fn metered(self) -> &'static metered::Metered {
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
    /// Blocks of a class in its magazine. Any thread, for a figure that need not be exact.
    pub(super) fn magazined(&self, class: ClassId) -> usize {
        self.bins.len(class)
    }

    /// The same of those that are lent.
    pub(super) fn lent_out(&self, class: ClassId) -> usize {
        self.metered.0.bins.len(class)
    }
}
