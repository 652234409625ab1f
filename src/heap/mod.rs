//! Box `heap` (L5): one thread's state. Magazines and outbox in front, the spans behind a lock of the heap's own.
//! Owns: `Heap`s (records of meta, never freed, reused), the registry, the batch nodes.
//! Calls: base, os, class, stats, config, learn, page_map, meta, profile, record, region, superslab, span.
//! Called by: tiny_heap, baseline, pool_tls, hardened, reclaim, front, arena, report, abi.
//! Locks: `SEATS` → `REGISTRY` → one heap's → (pool → meta). Who holds one heap's lock only ever tries the registry's and another's.
//! Threads: what is the user's alone is reached by an `OwnHeap` (`own.rs`); the rest is entered by any thread through the lock or the inbox. An
//! orphan has no user, and its owner half belongs to the registry lock's holder.

mod apart;
mod apart_look;
mod behind;
mod bin;
mod capacity;
#[cfg(feature = "paranoid")]
mod check;
#[cfg(feature = "paranoid")]
mod check_registry;
mod ebb;
mod empty;
mod fork;
mod inbox;
mod inherit;
mod late;
mod lent;
mod lifecycle;
mod light;
mod list;
mod magazine;
mod metered;
mod node;
mod node_pool;
mod outbox;
mod own;
mod purge;
mod recall;
mod registry;
mod remote;
mod samples;
mod seats;
mod spare;
mod strays;

use core::mem::offset_of;

use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::base::layout::{self, At};
use crate::base::tray::Tray;
use crate::class::{BIN_STRIDE, ClassId};
use crate::os::lock::Mutex;
use crate::os::{self, Misuse};
use crate::span::{self, Stop};
use crate::stats::event::{EVENTS, Event, Events};

pub(crate) use apart::make_apart;
pub(crate) use behind::{dirty_bytes, free_bytes, purged_bytes};
pub(crate) use bin::{Bin, Popped, Pushed};
#[cfg(feature = "paranoid")]
pub(crate) use check_registry::check_registry;
pub(crate) use empty::{alloc_empty, holds_empty};
pub(crate) use fork::orphan_the_lost;
pub(crate) use inherit::{take_in_all, take_in_unused};
pub(crate) use late::late_heap;
pub(crate) use lent::Lend;
pub(crate) use lifecycle::{Left, adopt_or_make, is_any_unheard, leave, retire, take_lost};
pub(crate) use light::does_without;
pub(crate) use list::{each_heap, newest};
pub(crate) use metered::{
    TO_BINS as SECOND_BINS, closed, follow, is_checked, is_marked, is_plain, meter_all, metered, of_checked, of_marked,
    plain,
};
pub(crate) use own::OwnHeap;
pub(crate) use recall::next_turn;
pub(crate) use registry::is_any_in_use;
pub(crate) use remote::{add_remote, add_remote_slow, forget_sent, ran_dry, was_sent};
pub(crate) use samples::{holds_samples, sample_heap};
pub(crate) use seats::{
    SPECIAL, each_seat, end_seat, has_seats, next_seat, own_seat, push_at_seat, seat_at_hand, seat_of, take_seat,
};

use behind::{Core, Locked, PURGED};
use bin::Bins;
use ebb::Tide;
use inbox::Inbox;
use late::LATE_THREAD;
use outbox::Outbox;
use own::{Half, Owned};

/// # Invariants
/// - H1: a block in a magazine, a FastCache, an SLL or a batch is counted as used by its span.
/// - H2: the blocks in `bins[c]` are of class c and of this heap's spans (a block freed twice may be there twice).
/// - H3: every span on `core`'s lists has this heap as its owner, and its granules' tags say so.
#[repr(C, align(4096))]
pub(crate) struct Heap {
    // Owner half: its user writes; what others may look at says so where it is made.
    bins: Bins,
    outbox: Outbox,
    seated: seats::Seated,
    own: Owned<Half>,
    /// Counted by the owner or under the lock, as each event says; read by any.
    pub(crate) events: Events,
    // Shared half, from here on.
    inbox: Inbox,
    core: Mutex<Core>,
    links: registry::Links,
    apart: apart::Apart,
    seat: seats::Seat,
    /// The owner's again; only touched while it is profiled.
    metered: Owned<metered::Metered>,
}

pub(crate) use node::NODE_LAYOUT;

pub(crate) const LAYOUT: layout::Heap = layout::Heap {
    heaps_at: At((&raw const list::HEAPS).cast()),
    size: size_of::<Heap>(),
    next: offset_of!(Heap, links.next),
    orphan: offset_of!(Heap, links.orphan),
    word: offset_of!(Heap, links.word),
    bin_cur: Bin::CUR,
    bin_base: Bin::BASE,
    inbox: offset_of!(Heap, inbox.batches),
    inbox_bytes: offset_of!(Heap, inbox.bytes),
    open: offset_of!(Heap, outbox.open),
    opens: outbox::OPEN,
    open_size: size_of::<outbox::Open>(),
    open_node: offset_of!(outbox::Open, node),
    events: offset_of!(Heap, events),
    event_kinds: EVENTS,
    late_at: At((&raw const late::LATE).cast()),
    samples_at: At((&raw const samples::SAMPLES).cast()),
    baseline: offset_of!(Heap, own) + offset_of!(Half, baseline),
};

/// The calling thread's relation to its heap.
pub(crate) enum Current {
    Heap(OwnHeap),
    /// Not born yet.
    Unborn,
    /// Torn down: served by the shared heap from now on.
    Late,
}

/// The calling thread's heap.
#[inline(always)]
pub(crate) fn current() -> Current {
    let word = os::tls::get();
    if light::calls_of(word).is_some() {
        return Current::Unborn;
    }
    if core::ptr::eq(word, (&raw const LATE_THREAD).cast()) {
        return Current::Late;
    }
    // SAFETY: the word is one of the two statics, or names the heap that `adopt_or_make` put there, by itself or by its second bins.
    let heap = unsafe { &*metered::plain(word).cast::<Heap>() };
    // SAFETY: the calling thread's word.
    Current::Heap(unsafe { OwnHeap::of(heap) })
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

impl Heap {
    pub(crate) fn addr(&self) -> Addr {
        Addr::of(self)
    }

    /// Fills `out`, which is empty, with blocks of `class`. It stays so when out of memory.
    ///
    /// Fewer than it has room for is normal: a new span is acquired only when there is no block at all.
    pub(crate) fn refill(&self, class: ClassId, out: &mut Tray<'_>) {
        self.refill_watched(class, out, &mut 0);
    }

    /// `refill`, and how many bytes of pages that read as zero are among the blocks.
    #[inline]
    fn refill_watched(&self, class: ClassId, out: &mut Tray<'_>, zero: &mut usize) {
        if out.is_full() {
            return;
        }
        if self.is_apart() {
            return self.refill_apart(class, out, zero);
        }
        let mut core = self.enter();
        let mut found = core.refill(class, out, zero);
        if !found && core.inherit(class) {
            found = core.refill(class, out, zero);
        }
        if !found && core.recall() {
            core = core.drained();
            found = core.refill(class, out, zero);
        }
        if !found {
            if !core.add_span(class) {
                return;
            }
            core.refill(class, out, zero);
        }
        core.tide.take(out.len() * class.block_size());
        core.publish();
        self.events.count(class.index(), Event::Refill, 1);
        self.events.count(class.index(), Event::Refilled, out.len() as u64);
    }

    /// One block straight from a span, for threads without magazines.
    pub(crate) fn alloc_direct(&self, class: ClassId) -> Option<Block> {
        let mut block = [Addr::NULL];
        let mut out = Tray::over(&mut block);
        self.refill(class, &mut out);
        out.take()
    }

    /// `alloc_direct`, and whether all of the block is known to read as zero: only of a big class.
    pub(crate) fn alloc_fresh(&self, class: ClassId) -> Option<(Block, bool)> {
        let (mut block, mut gone) = ([Addr::NULL], 0);
        let mut out = Tray::over(&mut block);
        self.refill_watched(class, &mut out, &mut gone);
        // Its blocks are whole pages: all of them were purged, or never used, exactly if as many bytes are back now.
        out.take().map(|block| (block, class.is_big() && gone == class.block_size()))
    }

    /// One block of this heap straight to its span. Any thread that holds no heap's lock.
    pub(crate) fn free_direct(&self, at: Addr) {
        self.free_all(&[at]);
    }

    /// Blocks of this heap straight to their spans, likewise.
    fn free_all(&self, blocks: &[Addr]) {
        if self.is_apart() {
            return self.free_apart(blocks);
        }
        let (mut heap, mut left) = (self, blocks);
        loop {
            let mut core = heap.look();
            let stop = core.flush(left);
            let Err(Stop::Astray { done, owner }) = stop else {
                return end(core, stop.map_err(|stop| misuse(stop, left)));
            };
            drop(core);
            left = left.get(done..).unwrap_or_default();
            // SAFETY: a tag's owner.
            heap = unsafe { at(owner) };
        }
    }

    /// Takes in what others freed. Any thread; `wait`: even if the heap is busy.
    fn take_in(&self, wait: bool) {
        drop(if wait { Some(self.enter()) } else { self.try_enter() });
    }

    /// Takes the lock. Any thread.
    pub(crate) fn look(&self) -> Locked<'_> {
        Locked { heap: self, core: self.core.lock() }
    }

    fn try_look(&self) -> Option<Locked<'_>> {
        self.core.try_lock().map(|core| Locked { heap: self, core })
    }

    /// Takes the lock, and in what others have sent.
    fn enter(&self) -> Locked<'_> {
        self.look().drained()
    }

    fn try_enter(&self) -> Option<Locked<'_>> {
        self.try_look().map(Locked::drained)
    }
}

impl Locked<'_> {
    /// With what others have sent taken in.
    fn drained(mut self) -> Self {
        match self.drain() {
            Ok(()) => self,
            Err(misuse) => {
                drop(self);
                misuse.die()
            }
        }
    }

    /// Acquires a span. `false`: out of memory.
    fn add_span(&mut self, class: ClassId) -> bool {
        let owner = self.heap.addr();
        let Core { spans, dirty, tide, .. } = &mut *self.core;
        let Some(spans) = spans.get_mut(class.index()) else { return false };
        let Some(fresh) = span::tiny_backend_acquire_span(class, owner, dirty) else { return false };
        if holds_empty(owner) {
            span::close(fresh);
        }
        spans.adopt(fresh);
        tide.note_acquired();
        self.heap.events.count(class.index(), Event::SpanAcquire, 1);
        true
    }

    /// Gives blocks back to their spans.
    fn flush(&mut self, blocks: &[Addr]) -> Result<(), Stop> {
        let Locked { heap, core } = self;
        let Core { spans, dirty, tide, .. } = &mut **core;
        let is_large = span::pays_ahead(tide.used + dirty.free);
        let done = span::flush(heap.addr(), blocks, spans, dirty, is_large, |class, blocks, released| {
            tide.give(blocks as usize * class.block_size());
            heap.events.count(class.index(), Event::Flushed, blocks as u64);
            heap.events.count(class.index(), Event::SpanRelease, released as u64);
        });
        core.publish();
        match done {
            Err(stop @ Stop::Astray { .. }) if !inherit::happened() => Err(Stop::Misuse(misuse(stop, blocks))),
            done => done,
        }
    }
}

impl OwnHeap {
    /// Gives blocks of this heap, all of `class`, back to their spans.
    pub(crate) fn flush(self, class: ClassId, blocks: &[Addr]) {
        let _ = self.flush_measured(class, blocks);
    }

    /// `flush`, and what is left.
    fn flush_measured(self, class: ClassId, blocks: &[Addr]) -> Tide {
        let mut core = self.look();
        self.events.count(class.index(), Event::Flush, 1);
        // A thread's own blocks are never astray: see `span::transfer`.
        let done = core.flush(blocks).map_err(|stop| misuse(stop, blocks));
        let tide = core.tide;
        end(core, done);
        tide
    }

    /// Counts a slow path of a class. Every 64th sends the batches that are still open: a bound on how long others' blocks
    /// wait here.
    pub(crate) fn tick(self) {
        let ticks = self.own().ticks.get().wrapping_add(1);
        self.own().ticks.set(ticks);
        if ticks % 64 == 0 {
            self.send_all();
            self.review();
        }
    }

    /// Counts a slow path of any kind, and says whether it is time to look at the clock.
    pub(crate) fn beat(self) -> bool {
        let beats = self.own().beats.get().wrapping_add(1);
        self.own().beats.set(beats);
        beats % 16 == 0
    }
}

/// What is wrong when a flush of `blocks` stopped where none may be astray.
#[cold]
fn misuse(stop: Stop, blocks: &[Addr]) -> Misuse {
    match stop {
        Stop::Misuse(misuse) => misuse,
        Stop::Astray { done, .. } => span::foreign(blocks.get(done).copied().unwrap_or(Addr::NULL)),
    }
}

/// Leaves a heap's lock, and the process where something was wrong.
fn end(core: Locked<'_>, done: Result<(), Misuse>) {
    drop(core);
    if let Err(misuse) = done {
        misuse.die();
    }
}

const _: () = {
    assert!(size_of::<Bin>() == BIN_STRIDE, "a tag's low bits are an offset into the bins");
    assert!(size_of::<Bins>() <= size_of_val(&LATE_THREAD), "a thread without a heap reads zeroes as its bins");
    assert!(size_of::<Bins>() <= 4096, "an offset into the bins never reaches the bits of the heap's address");
    assert!(size_of::<Heap>() <= 32 << 10, "a heap is one record of meta");
    assert!(size_of::<Heap>() == 32_768, "docs/ARCHITECTURE.md, section 5, says so");
};
