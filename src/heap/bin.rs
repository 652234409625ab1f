//! `Bin`: one class's magazine. HOT: `pop` and `push` are the whole of a malloc or free hit.
//!
//! A magazine is a stack of BASE pointers in an array of its own. Its capacity is the only gate: a class that is off, a
//! heap that is not born, a mode that wants every call on the slow path are all `cur == base == limit`.

use core::cell::Cell;
use core::mem::offset_of;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::base::tray::Tray;
use crate::class::{BIN_STRIDE, CLASSES, ClassId};
use crate::meta;

/// # Invariants
/// - B1: `base <= cur <= limit`, all in one array of `limit - base` entries with one readable word before it, or all null.
/// - B2: entries `base..cur` are freed blocks of the bin's class, newest last.
#[repr(C)]
pub(crate) struct Bin {
    cur: End,
    limit: Cell<*mut Addr>,
    base: End,
    /// Entries the array may grow to; 0: this class has no magazine.
    max: Cell<usize>,
}

pub(super) struct Bins([Bin; CLASSES]);

/// An end of what a magazine holds: its user moves it, and others may look at it for a figure. Relaxed: nothing is published by it.
#[repr(transparent)]
struct End(AtomicPtr<Addr>);

impl End {
    /// Where it is, to its user.
    #[inline(always)]
    fn get(&self) -> *mut Addr {
        // SAFETY: a live word, that nobody else writes. Not atomically: the compiler takes a register for what it loads so, and a malloc an
        // instruction more.
        unsafe { *self.0.as_ptr() }
    }

    /// Where it is, to anybody.
    fn look(&self) -> Addr {
        Addr::of(self.0.load(Ordering::Relaxed))
    }

    #[inline(always)]
    fn set(&self, to: *mut Addr) {
        self.0.store(to, Ordering::Relaxed);
    }

    /// Moves the end, which is at `from`: on x86-64 where it lies, by one instruction.
    #[inline(always)]
    fn step(&self, from: *mut Addr, entries: isize) {
        // Read once more: else the compiler adds to the copy that the caller has, which takes two.
        let from = if cfg!(target_arch = "x86_64") { self.0.load(Ordering::Relaxed) } else { from };
        self.set(from.wrapping_offset(entries));
    }
}

/// What `pop` found.
pub(crate) enum Popped {
    Block(Block),
    Empty,
}

/// What `push` did.
pub(crate) enum Pushed {
    Kept,
    Full,
    /// The block is the one pushed last.
    Twice,
}

/// Entries of a magazine's first array. Arrays are one word short of a power of two: the word before `base`.
pub(super) const FIRST: usize = 31;

// SAFETY: others than the user only come by `len`, which reads what is atomic.
unsafe impl Sync for Bins {}

impl Bins {
    /// # Safety
    /// The caller is the user of the heap whose bins these are.
    #[inline(always)]
    pub(super) unsafe fn of(&self, class: ClassId) -> &Bin {
        // SAFETY: a ClassId is below CLASSES.
        unsafe { self.0.get_unchecked(class.index()) }
    }

    /// Blocks that one holds. Any thread, for a figure that need not be exact.
    pub(super) fn len(&self, class: ClassId) -> usize {
        let Some(bin) = self.0.get(class.index()) else { return 0 };
        // Of two moments they may be any length apart: none that a magazine has not.
        (bin.cur.look().since(bin.base.look()) / size_of::<Addr>()) & 0xFFFF
    }
}

impl Bin {
    pub(super) const CUR: usize = offset_of!(Bin, cur);
    pub(super) const BASE: usize = offset_of!(Bin, base);

    /// Takes the newest block.
    #[inline(always)]
    pub(crate) fn pop(&self) -> Popped {
        let cur = self.cur.get();
        if cur == self.base.get() {
            return Popped::Empty;
        }
        self.cur.step(cur, -1);
        // SAFETY: base < cur by B1 and the test: an entry below the old `cur` (B2).
        Popped::Block(Block::at(unsafe { *cur.sub(1) }))
    }

    /// Keeps a freed block of this class, or says why not.
    #[inline(always)]
    pub(crate) fn push(&self, block: Addr) -> Pushed {
        let cur = self.cur.get();
        if cur == self.limit.get() {
            return Pushed::Full;
        }
        // SAFETY: cur < limit by B1 and the test, so the bin has an array, with a word before its first entry.
        if unsafe { *cur.sub(1) } == block {
            return Pushed::Twice;
        }
        // SAFETY: as above: an entry of the array.
        unsafe { *cur = block };
        self.cur.step(cur, 1);
        Pushed::Kept
    }

    /// `push` where it can't fail.
    ///
    /// # Safety
    /// It `has_room`, and the block is not in it.
    #[inline(always)]
    pub(crate) unsafe fn keep(&self, block: Block) {
        let cur = self.cur.get();
        debug_assert!(cur != self.limit.get());
        // SAFETY: cur < limit by B1 and the caller: an entry of the array.
        unsafe { *cur = block.addr() };
        self.cur.step(cur, 1);
    }

    /// Whether `push` has room.
    #[inline(always)]
    pub(crate) fn has_room(&self) -> bool {
        self.cur.get() != self.limit.get()
    }

    /// Whether `block` is the one pushed last.
    pub(super) fn holds_last(&self, block: Addr) -> bool {
        let cur = self.cur.get();
        // SAFETY: base < cur by B1 and the test.
        cur != self.base.get() && unsafe { *cur.sub(1) } == block
    }

    pub(crate) fn max(&self) -> usize {
        self.max.get()
    }

    /// Says how far the magazine may grow. 0 closes the gate; only while it holds nothing.
    pub(crate) fn set_max(&self, entries: usize) {
        debug_assert!(entries > 0 || self.capacity() == 0);
        self.max.set(entries);
    }

    pub(crate) fn capacity(&self) -> usize {
        (Addr::of(self.limit.get()).since(Addr::of(self.base.get()))) / size_of::<Addr>()
    }

    /// Blocks held.
    pub(crate) fn len(&self) -> usize {
        Addr::of(self.cur.get()).since(Addr::of(self.base.get())) / size_of::<Addr>()
    }

    /// The capacity that the next growth would make: twice the present one, `max` at most.
    pub(super) fn next_capacity(&self) -> usize {
        let (old, max) = (self.capacity(), self.max.get());
        if old == 0 { FIRST.min(max) } else { (2 * old + 1).min(max).max(old) }
    }

    /// Moves the magazine into an array of `new` entries, no fewer than it holds. Says whether that could be had.
    pub(super) fn resize(&self, new: usize) -> bool {
        let (old, len) = (self.capacity(), self.len());
        debug_assert!(new > 0 && new >= len);
        let Some(array) = meta::alloc((new + 1) * size_of::<Addr>()) else { return false };
        let (old_base, new_base) = (self.base.get(), array.as_ptr::<Addr>().wrapping_add(1));
        if old > 0 {
            // SAFETY: B1, B2: `len` entries in the old array, and the new one is long enough (caller) and apart.
            unsafe { new_base.copy_from_nonoverlapping(old_base, len) };
        }
        self.base.set(new_base);
        self.cur.set(new_base.wrapping_add(len));
        self.limit.set(new_base.wrapping_add(new));
        free_array(old_base, old);
        true
    }

    /// Moves the newest blocks, `want` at most, to `to`, an empty bin, whose array is `array` from now on. Says how many.
    ///
    /// # Safety
    /// Nobody else uses `array`, and `want` is at most `N`. The caller is the thread of both bins.
    pub(super) unsafe fn lend<const N: usize>(&self, to: &Bin, array: *mut [Addr; N], want: usize) -> usize {
        let count = want.min(self.len());
        let (from, array) = (self.cur.get().wrapping_sub(count), array.cast::<Addr>());
        if count == N {
            // SAFETY: B2, and the caller; apart, for one is the other bin's. (By itself, without a call.)
            unsafe { array.cast::<[Addr; N]>().write(from.cast::<[Addr; N]>().read()) };
        } else if count > 0 {
            // SAFETY: likewise.
            unsafe { array.copy_from_nonoverlapping(from, count) };
        }
        self.cur.set(from);
        let end = array.wrapping_add(count);
        to.base.set(array);
        to.cur.set(end);
        to.limit.set(end);
        count
    }

    /// Has `refill` fill the free part of the array, `want` entries at most. Says how many blocks that were.
    ///
    /// # Safety
    /// The caller is the heap's user, and `refill` touches no bin of this class.
    #[inline(always)]
    pub(super) unsafe fn fill(&self, want: usize, refill: impl FnOnce(&mut Tray<'_>)) -> usize {
        let cur = self.cur.get();
        let free = Addr::of(self.limit.get()).since(Addr::of(cur)) / size_of::<Addr>();
        if free == 0 {
            return 0;
        }
        // SAFETY: B1: entries cur..limit exist; meta's zeroes and old entries are both valid Addrs. No other reference is made to them (caller).
        let mut room = Tray::over(unsafe { core::slice::from_raw_parts_mut(cur, free.min(want)) });
        refill(&mut room);
        let got = room.settle();
        self.cur.set(cur.wrapping_add(got));
        got
    }

    /// The oldest `count` blocks at most.
    ///
    /// # Safety
    /// The caller is the heap's user; they stay in the bin until `forget_oldest`.
    pub(super) unsafe fn oldest(&self, count: usize) -> &[Addr] {
        let count = count.min(self.len());
        if count == 0 {
            return &[];
        }
        // SAFETY: B2.
        unsafe { core::slice::from_raw_parts(self.base.get(), count) }
    }

    /// Drops the oldest `count` blocks, which the caller has given back.
    pub(super) fn forget_oldest(&self, count: usize) {
        let left = self.len() - count;
        if count > 0 {
            let base = self.base.get();
            // SAFETY: B2: the ranges lie below `cur`.
            unsafe { base.copy_from(base.add(count), left) };
            self.cur.set(base.wrapping_add(left));
        }
    }

    /// Drops all blocks, which the caller has given back.
    pub(super) fn forget_all(&self) {
        self.cur.set(self.base.get());
    }

    /// Holds its oldest `len` entries again, or still.
    ///
    /// # Safety
    /// So many lay in it once, in this array, and were only popped since.
    pub(super) unsafe fn rewind(&self, len: usize) {
        debug_assert!(len >= self.len() && len <= self.capacity());
        self.cur.set(self.base.get().wrapping_add(len));
    }

    /// Back to no capacity. The bin must be empty, or its blocks be given up on purpose (a child of fork).
    pub(super) fn close(&self, free_memory: bool) {
        let (base, capacity) = (self.base.get(), self.capacity());
        self.cur.set(core::ptr::null_mut());
        self.limit.set(core::ptr::null_mut());
        self.base.set(core::ptr::null_mut());
        if free_memory {
            free_array(base, capacity);
        }
    }
}

fn free_array(base: *mut Addr, capacity: usize) {
    if capacity > 0 {
        meta::free(Addr::of(base.wrapping_sub(1)), (capacity + 1) * size_of::<Addr>());
    }
}

const _: () = {
    assert!(size_of::<Bin>() == BIN_STRIDE, "a tag's low bits are an offset into the bins");
    assert!(size_of::<Bins>() <= 4096, "an offset into the bins never reaches the bits of the heap's address");
};
