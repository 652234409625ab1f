//! `Gate`: who is inside says so, and who closes it waits until nobody else is. No lock: whoever finds it closed is told, and
//! goes another way. So nothing that the gate's owner waits for can wait for the owner, unless that was inside itself.

use super::sync::{AtomicU32, AtomicUsize, Ordering, barrier};

/// `PLACES`, a power of two: how many may be inside at once; more than processors, lest two threads share a line.
pub(crate) struct Gate<const PLACES: usize> {
    /// The thread that closed it; 0: open. With `BARRED`: not even that thread may enter.
    closed: AtomicUsize,
    /// How often more it was closed by that thread, which alone reads and writes this.
    again: AtomicU32,
    places: [Place; PLACES],
}

/// The number of the thread that is inside here, or 0. On a line of its own.
#[repr(align(64))]
struct Place(AtomicUsize);

/// Its thread was inside when it closed the gate, in a signal handler: what it was at there is half done.
const BARRED: usize = 1;

impl<const PLACES: usize> Gate<PLACES> {
    pub(crate) const fn new() -> Self {
        Gate {
            closed: AtomicUsize::new(0),
            again: AtomicU32::new(0),
            places: [const { Place(AtomicUsize::new(0)) }; PLACES],
        }
    }

    fn place(&self, index: usize) -> &Place {
        // SAFETY: reduced to the array's length.
        unsafe { self.places.get_unchecked(index % PLACES) }
    }

    /// Enters, and says the place to leave from; `None` when the gate is closed by another. `me`: an even number that no
    /// other thread has. `rest`: lets others run.
    #[inline]
    pub(crate) fn enter(&self, me: usize, rest: impl FnMut()) -> Option<usize> {
        let start = Self::start(me);
        let index = match self.take(start, me) {
            true => start,
            false => self.search(start, me, rest),
        };
        self.look(index, me)
    }

    /// `enter` where `me` is at home; `None` also when another is there.
    #[inline(always)]
    pub(crate) fn enter_at_once(&self, me: usize) -> Option<usize> {
        let index = Self::start(me);
        if !self.take(index, me) {
            return None;
        }
        self.look(index, me)
    }

    /// Where `me` is at home.
    #[inline(always)]
    pub(crate) fn start(me: usize) -> usize {
        me.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48
    }

    /// Whether who is inside may stay.
    #[inline(always)]
    fn look(&self, index: usize, me: usize) -> Option<usize> {
        // Pairs with the barrier in `close`: of our place and the closing, at least one is seen by the other side.
        barrier();
        // Acquire pairs with the Release in `open`: what the closer changed is seen.
        let closed = self.closed.load(Ordering::Acquire);
        if closed == 0 || closed == me {
            return Some(index);
        }
        self.leave(index);
        None
    }

    fn take(&self, index: usize, me: usize) -> bool {
        // Acquire: nothing that is done inside moves before it. Relaxed on failure: nothing is entered.
        self.place(index).0.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[cold]
    fn search(&self, start: usize, me: usize, mut rest: impl FnMut()) -> usize {
        let mut index = start;
        loop {
            index = index.wrapping_add(1);
            if self.take(index, me) {
                return index;
            }
            if index % PLACES == start % PLACES {
                rest();
            }
        }
    }

    #[inline]
    pub(crate) fn leave(&self, index: usize) {
        // Release pairs with the Acquire in `close`: what was done inside is seen by who closed the gate.
        self.place(index).0.store(0, Ordering::Release);
    }

    /// Closes the gate for all but `me`, and waits until nobody else is inside. Closed by `me` already, it is closed once more.
    ///
    /// Where `me` is inside itself, others there may wait for a lock that it holds: then not beyond the time when `is_enough` says so.
    pub(crate) fn close(&self, me: usize, mut rest: impl FnMut(), mut is_enough: impl FnMut() -> bool) {
        if self.is_closed_by(me) {
            // Relaxed: this thread's alone.
            self.again.store(self.again.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            return;
        }
        // Acquire pairs with the Release in `open`. Relaxed on failure: it is only tried again.
        while self.closed.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed).is_err() {
            rest();
        }
        barrier();
        let inside = self.is_inside(me);
        for place in &self.places {
            loop {
                // Acquire pairs with the Release in `leave`.
                let who = place.0.load(Ordering::Acquire);
                if who == 0 || who == me || inside && is_enough() {
                    break;
                }
                rest();
            }
        }
        if inside {
            // Relaxed: others find it closed either way.
            self.closed.store(me | BARRED, Ordering::Relaxed);
        }
    }

    /// Opens what `me` closed.
    pub(crate) fn open(&self, me: usize) {
        if !self.is_closed_by(me) {
            return;
        }
        // Relaxed, both: this thread's alone.
        match self.again.load(Ordering::Relaxed) {
            // Release pairs with the Acquire in `enter` and `close`.
            0 => self.closed.store(0, Ordering::Release),
            more => self.again.store(more - 1, Ordering::Relaxed),
        }
    }

    /// Leaves every place where `me` is: what it was at does not go on.
    #[cold]
    pub(crate) fn leave_all(&self, me: usize) {
        for (index, place) in self.places.iter().enumerate() {
            // Relaxed: as in `is_inside`.
            if place.0.load(Ordering::Relaxed) == me {
                self.leave(index);
            }
        }
    }

    /// In a process in which `me` is the only thread: the others, which may have come and gone again meanwhile, are not there.
    pub(crate) fn forget_others(&self, me: usize) {
        for place in &self.places {
            // Relaxed, both: there is nobody else.
            let who = place.0.load(Ordering::Relaxed);
            if who != 0 && who != me {
                place.0.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Whether `me` is inside somewhere.
    #[cold]
    pub(crate) fn is_inside(&self, me: usize) -> bool {
        // Relaxed: what this thread has written itself.
        self.places.iter().any(|place| place.0.load(Ordering::Relaxed) == me)
    }

    /// Whether `me` closed it.
    pub(crate) fn is_closed_by(&self, me: usize) -> bool {
        // Relaxed: who closed it knows; nobody else ever sees `me` there.
        self.closed.load(Ordering::Relaxed) & !BARRED == me
    }

    /// Whether `me` closed it while inside.
    pub(crate) fn is_barred(&self, me: usize) -> bool {
        // Relaxed: as above.
        self.closed.load(Ordering::Relaxed) == me | BARRED
    }
}
