//! A heap apart from threads: an arena's. Its user takes from its magazines as a thread does from its own, without a lock; its spans hold nobody
//! else's blocks, so that all of them can be freed at once, a span at a time.
//!
//! No batch is ever open for such a heap: whoever frees one of its blocks gives it to the span at once, under the lock. None of its spans
//! moves to another heap or comes from one, and no thread adopts it. So of what is freed at once nothing waits anywhere.
//!
//! The magazines are filled whole, and an array keeps what was popped above its `cur`. Where nothing was pushed nor
//! filled in between, all that was taken since the last time comes back by moving `cur` (`rewind`).

use core::cell::Cell;
use core::sync::atomic::Ordering;

use super::behind::{Locked, end};
use super::bin::{Popped, Pushed};
use super::flush::misuse;
use super::spare;
use super::state::{Core, Heap, OwnHeap};
use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::base::tray::Tray;
use crate::class::{CLASSES, ClassId};
use crate::region::Region;
use crate::span::{self, Gather};
use crate::stats::allowance::Allowance;
use crate::stats::event::Event;

fn bit(class: ClassId) -> u128 {
    1 << class.index()
}

fn each(mut classes: u128) -> impl Iterator<Item = ClassId> {
    core::iter::from_fn(move || {
        let index = classes.trailing_zeros() as usize;
        classes &= classes.wrapping_sub(1);
        (index < CLASSES).then(|| ClassId::from_index(index))
    })
}

/// A heap for the record at `owner`, which is not null, its allowance, and its region if its spans are to lie in one. `prepare` sets its magazines'
/// bounds. `None`: out of memory.
pub(crate) fn make_apart(
    owner: Addr,
    allowance: &'static Allowance,
    region: Option<&'static Region>,
    prepare: impl FnOnce(OwnHeap),
) -> Option<&'static Heap> {
    let heap = spare::take_spare()?;
    // SAFETY: spare, and on no list any more: nobody else has it.
    prepare(unsafe { OwnHeap::of(heap) });
    // Relaxed, both: the program hands its blocks on by its own means.
    heap.apart.allowance.store(core::ptr::from_ref(allowance).cast_mut(), Ordering::Relaxed);
    heap.apart.owner.store(owner.0, Ordering::Relaxed);
    if region.is_some() {
        heap.look().dirty.region = region;
    }
    Some(heap)
}

impl Heap {
    /// The record of what the heap belongs to; null: it is a thread's. Any thread.
    #[inline(always)]
    pub(crate) fn apart_owner(&self) -> Addr {
        // Relaxed: see `make_apart`.
        Addr(self.apart.owner.load(Ordering::Relaxed))
    }

    #[inline(always)]
    pub(crate) fn is_apart(&self) -> bool {
        !self.apart_owner().is_null()
    }

    fn allowance(&self) -> Option<&'static Allowance> {
        // SAFETY: null, or of the record, which is there as long as the heap is its own.
        unsafe { self.apart.allowance.load(Ordering::Relaxed).as_ref() }
    }
}

impl OwnHeap {
    /// Lets its magazines have no room. It has just been made.
    pub(crate) fn shut(self) {
        ClassId::all().for_each(|class| self.bin(class).set_max(0));
    }

    /// A block of `class`, whether its magazine is empty or was not asked. `None`: out of memory, or no more is allowed.
    pub(crate) fn pop_apart(self, class: ClassId) -> Option<Block> {
        let bin = self.bin(class);
        if let Popped::Block(block) = bin.pop() {
            return Some(block);
        }
        self.grow(class);
        if bin.capacity() == 0 {
            return self.alloc_direct(class);
        }
        self.fill(class);
        match bin.pop() {
            Popped::Block(block) => Some(block),
            Popped::Empty => None,
        }
    }

    /// Fills an empty magazine.
    fn fill(self, class: ClassId) {
        let bin = self.bin(class);
        // Here already: it has an array now, even if nothing is allowed to lie there.
        self.apart.known.set(self.apart.known.get() | bit(class));
        // SAFETY: we are the heap's user, and nothing below `refill` touches this bin.
        let got = unsafe { bin.fill(usize::MAX, |room| self.refill(class, room)) };
        self.note_full(class, got);
    }

    fn note_full(self, class: ClassId, blocks: usize) {
        if let Some(full) = self.apart.full.get(class.index()) {
            full.set(blocks as u16);
        }
    }
}

impl Heap {
    /// What `refill` is here: from its own spans, as far as is allowed. Its user; where it has none, any thread.
    #[cold]
    #[inline(never)]
    pub(super) fn refill_apart(&self, class: ClassId, out: &mut Tray<'_>, zero: &mut usize) {
        let Some(allowance) = self.allowance() else { return };
        let size = class.block_size();
        let want = allowance.take(out.room(), size);
        if want == 0 {
            return;
        }
        out.limit(want);
        let mut core = self.look();
        // Under the lock, for heaps that several threads take from directly.
        let apart = &self.apart;
        apart.known.set(apart.known.get() | bit(class));
        apart.moved.set(apart.moved.get() | bit(class));
        if !core.refill(class, out, zero) && core.add_span(class) {
            core.refill(class, out, zero);
        }
        let got = out.len();
        core.tide.take(got * size);
        core.publish();
        self.events.count(class.index(), Event::Refill, 1);
        self.events.count(class.index(), Event::Refilled, got as u64);
        drop(core);
        allowance.give((want - got) * size);
    }

    /// Gives blocks back to their spans. Any thread that holds no heap's lock.
    #[cold]
    #[inline(never)]
    pub(super) fn free_apart(&self, blocks: &[Addr]) {
        self.note_mixed();
        let mut core = self.look();
        let before = core.tide.used;
        let done = core.flush(blocks).map_err(|stop| misuse(stop, blocks));
        self.give_allowance(before - core.tide.used);
        end(core, done);
    }

    /// Notes that a block came back singly.
    #[inline(always)]
    pub(super) fn note_mixed(&self) {
        // Relaxed: who frees all at once comes after, by the program's means. Mostly it says so already: no store.
        if !self.apart.is_mixed.load(Ordering::Relaxed) {
            self.apart.is_mixed.store(true, Ordering::Relaxed);
        }
    }

    /// The same by its user, in one instruction.
    #[inline(always)]
    pub(super) fn mix(&self) {
        self.apart.is_mixed.store(true, Ordering::Relaxed);
    }

    fn give_allowance(&self, bytes: usize) {
        if let Some(allowance) = self.allowance() {
            allowance.give(bytes);
        }
    }
}

impl OwnHeap {
    /// Keeps a freed block of `class` in its magazine.
    #[inline(always)]
    pub(crate) fn push_apart(self, class: ClassId, block: Addr) -> Pushed {
        self.mix();
        self.bin(class).push(block)
    }

    /// The same where it had no room. The caller holds no lock.
    #[cold]
    pub(crate) fn push_apart_slow(self, class: ClassId, block: Addr) -> Pushed {
        let bin = self.bin(class);
        if bin.holds_last(block) {
            return Pushed::Twice;
        }
        // SAFETY: we are the heap's user, and nothing below `free_apart` touches this bin.
        let blocks = unsafe { bin.oldest(bin.capacity().div_ceil(2)) };
        if blocks.is_empty() {
            self.free_apart(&[block]);
            return Pushed::Kept;
        }
        self.free_apart(blocks);
        bin.forget_oldest(blocks.len());
        bin.push(block)
    }

    /// Gives what lies in the magazines back to the spans.
    pub(crate) fn flush_apart(self) {
        self.note_mixed();
        for class in each(self.apart.known.get()) {
            let bin = self.bin(class);
            // SAFETY: we are the heap's user, and nothing below `free_apart` touches this bin.
            let blocks = unsafe { bin.oldest(usize::MAX) };
            if !blocks.is_empty() {
                self.free_apart(blocks);
                bin.forget_oldest(blocks.len());
            }
        }
    }

    /// Frees all its blocks at once, if that is done by moving the magazines' ends. `false`: nothing was done, and `start_over` is to. No lock
    /// is taken.
    #[inline]
    pub(crate) fn rewind(self) -> bool {
        let apart = &self.apart;
        if apart.moved.get() != 0 || apart.is_mixed.load(Ordering::Relaxed) {
            return false;
        }
        self.rewind_all(apart.known.get());
        true
    }

    fn rewind_all(self, classes: u128) {
        for class in each(classes) {
            let full = self.apart.full.get(class.index()).map_or(0, Cell::get);
            // SAFETY: A1.
            unsafe { self.bin(class).rewind(full as usize) };
        }
    }

    /// Frees all its blocks at once. The caller holds no lock.
    pub(crate) fn start_over(self) {
        let apart = &self.apart;
        let known = apart.known.get();
        let moved = if apart.is_mixed.swap(false, Ordering::Relaxed) { known } else { apart.moved.get() };
        apart.moved.set(0);
        self.rewind_all(known & !moved);
        let mut core = self.look();
        // Under the lock: see `free_noted`.
        apart.turn.fetch_add(1, Ordering::Relaxed);
        let mut gone = 0;
        for class in each(moved) {
            self.bin(class).forget_all();
            gone += core.free_class(class);
        }
        core.tide.give(gone);
        core.publish();
        drop(core);
        self.give_allowance(gone);
        for class in each(moved) {
            self.note_full(class, 0);
            if self.bin(class).capacity() > 0 {
                self.fill(class);
            }
        }
        apart.moved.set(0);
    }

    /// Frees all its blocks and gives all its memory back; it is for another owner from then on. The caller holds no lock.
    pub(crate) fn dissolve(self) {
        let apart = &self.apart;
        let known = apart.known.replace(0);
        apart.moved.set(0);
        for class in each(known) {
            self.bin(class).close(true);
            self.note_full(class, 0);
        }
        self.capacities().reset();
        let (mut core, gather) = self.look_settled();
        apart.turn.fetch_add(1, Ordering::Relaxed);
        apart.owner.store(0, Ordering::Relaxed);
        let used = core.tide.used;
        for class in each(known) {
            let Core { spans, dirty, .. } = &mut *core;
            let Some(spans) = spans.get_mut(class.index()) else { continue };
            let released = spans.release_all(class, dirty);
            self.events.count(class.index(), Event::SpanRelease, released as u64);
        }
        core.tide.give(used);
        core.publish_all();
        core.dirty.region = None;
        drop(core);
        drop(gather);
        self.give_allowance(used);
        apart.allowance.store(core::ptr::null_mut(), Ordering::Relaxed);
        apart.is_mixed.store(false, Ordering::Relaxed);
        spare::put_spare(self.shared());
    }
}

impl Heap {
    /// Gives spans that lie empty back. Any thread that holds no heap's lock.
    pub(crate) fn give_idle(&self) {
        self.look().release_empty(usize::MAX);
    }
}

impl Locked<'_> {
    /// Frees the blocks of one class at once, and says how many bytes that were.
    fn free_class(&mut self, class: ClassId) -> usize {
        let Core { spans, dirty, .. } = &mut *self.core;
        let Some(spans) = spans.get_mut(class.index()) else { return 0 };
        let (bytes, released) = spans.free_all(class, dirty);
        self.heap.events.count(class.index(), Event::SpanRelease, released as u64);
        bytes
    }
}

impl Heap {
    /// `look`, with no span set apart, and with what keeps them from it, if need be.
    fn look_settled(&self) -> (Locked<'_>, Option<Gather>) {
        let core = self.look();
        if !span::is_any_going(&core.spans) {
            return (core, None);
        }
        drop(core);
        let gather = Gather::begin(true);
        (self.look(), gather)
    }

    /// What `free_noted` is to be told of a block that is to be freed later. Any thread.
    pub(crate) fn note_apart(&self) -> u32 {
        self.note_mixed();
        // Relaxed: who frees all at once comes after.
        self.apart.turn.load(Ordering::Relaxed)
    }

    /// Frees a block, unless all were freed at once since `note_apart` said `turn`. Any thread that holds no heap's lock.
    pub(crate) fn free_noted(&self, block: Addr, turn: u32) {
        let mut core = self.look();
        if self.apart.turn.load(Ordering::Relaxed) != turn {
            return;
        }
        let before = core.tide.used;
        let done = core.flush(&[block]).map_err(|stop| misuse(stop, &[block]));
        self.give_allowance(before - core.tide.used);
        end(core, done);
    }
}
