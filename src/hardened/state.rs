//! `State`: one heap's stocks, quarantine and random stream, and how blocks go from one to the other.

use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{Ordering, compiler_fence};

use super::claim::{self, Claim};
use super::quarantine::{Freed, Quarantine};
use super::random::Random;
use super::stock::{Stock, capacity};
use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::canary;
use crate::class::{CLASSES, ClassId};
use crate::heap::{self, Current, OwnHeap};
use crate::meta;
use crate::os;
use crate::page_map;

pub(super) struct State {
    random: Random,
    pub(super) quarantine: Quarantine,
    /// Null while a class has none.
    stocks: [*mut Stock; CLASSES],
}

/// A heap's state, taken by its thread: who interrupts that in a handler finds `TAKEN` in the heap's word, and does without. Dropped, it is there again.
///
/// # Invariants
/// - H1: of a state there is one at a time.
pub(super) struct Held {
    heap: OwnHeap,
    state: &'static mut State,
}

/// Added to the state's address in the heap's word while somebody has it.
const TAKEN: usize = 1;

impl Deref for Held {
    type Target = State;

    #[inline(always)]
    fn deref(&self) -> &State {
        self.state
    }
}

impl DerefMut for Held {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut State {
        self.state
    }
}

impl Drop for Held {
    #[inline(always)]
    fn drop(&mut self) {
        let at = Addr::of(&*self.state);
        // The same thread's handlers: what was changed is so before they may look.
        compiler_fence(Ordering::SeqCst);
        self.heap.hardened().set(at);
    }
}

impl State {
    /// The heap's; `None`: it has none, or this interrupted who has it.
    #[inline(always)]
    pub(super) fn at_hand(heap: OwnHeap) -> Option<Held> {
        let word = heap.hardened().get();
        if word.0 & TAKEN != 0 {
            return None;
        }
        // SAFETY: null, or made by `make`, and freed only when the heap's thread ends; each caller is that thread, and by H1 holds no other.
        let state = unsafe { word.as_ptr::<State>().as_mut() }?;
        heap.hardened().set(Addr(word.0 | TAKEN));
        // As in `drop`: nothing is changed before that stands there.
        compiler_fence(Ordering::SeqCst);
        Some(Held { heap, state })
    }

    /// The heap's, made at first use; `None` also: out of memory.
    #[inline]
    pub(super) fn of(heap: OwnHeap) -> Option<Held> {
        if heap.hardened().get().is_null() {
            make(heap)?;
        }
        State::at_hand(heap)
    }

    /// Any of the newest blocks of `class`, if enough to choose from are at hand, and its claim, if that was looked for.
    #[inline(always)]
    pub(super) fn take_at_hand(&mut self, class: ClassId) -> Option<(Block, Option<Claim>)> {
        let stock = self.stock_at_hand(class)?;
        if stock.len() <= capacity(class) / 2 {
            return None;
        }
        self.take_of(class)
    }

    /// The same, where the stock is filled first if it is half empty. `None`: out of memory.
    #[inline]
    pub(super) fn take(&mut self, heap: OwnHeap, class: ClassId) -> Option<(Block, Option<Claim>)> {
        let slot = self.stocks.get_mut(class.index())?;
        if slot.is_null() {
            *slot = meta::alloc(size_of::<Stock>())?.as_ptr();
        }
        let stock = self.stock_at_hand(class)?;
        let full = capacity(class);
        if stock.len() <= full / 2 {
            fill(heap, class, stock, full);
        }
        self.take_of(class)
    }

    #[inline(always)]
    fn take_of(&mut self, class: ClassId) -> Option<(Block, Option<Claim>)> {
        let State { random, stocks, .. } = self;
        stock_of(stocks, class)?.take(class, random, |next| {
            canary::soon(next, class.block_size());
            claim::soon(next)
        })
    }

    #[inline(always)]
    fn stock_at_hand(&mut self, class: ClassId) -> Option<&mut Stock> {
        stock_of(&self.stocks, class)
    }

    /// Blocks of `class` in its stock.
    pub(super) fn stocked(&mut self, class: ClassId) -> usize {
        self.stock_at_hand(class).map_or(0, |stock| stock.len())
    }

    /// Other random numbers from now on.
    pub(super) fn reseed(&mut self) {
        self.random = Random::seeded(os::random());
        for class in ClassId::all() {
            if let Some(stock) = self.stock_at_hand(class) {
                stock.forget_choice();
            }
        }
    }

    /// Makes room in the quarantine for a block of `class`, if what leaves it for that goes into stocks and open batches that have room. `false`:
    /// it has none.
    #[inline(always)]
    pub(super) fn make_room(&mut self, heap: OwnHeap, class: ClassId) -> bool {
        let State { quarantine, stocks, .. } = self;
        if quarantine.has_room(class) {
            return true;
        }
        while quarantine.is_over(class) {
            let Some(oldest) = quarantine.oldest() else { return false };
            if !(if oldest.is_own() { keep(stocks, oldest) } else { send(heap, oldest) }) {
                return quarantine.has_room(class);
            }
            quarantine.pop();
        }
        true
    }

    /// Into the quarantine, and what that lets go to where it came from. Says whether a span got blocks.
    #[inline]
    pub(super) fn hold(&mut self, heap: OwnHeap, freed: Freed) -> bool {
        let State { quarantine, stocks, .. } = self;
        let mut gave = false;
        quarantine.push(freed, |left| gave |= let_go(heap, stocks, left));
        gave
    }

    /// Everything back to the spans.
    pub(super) fn flush(&mut self, heap: OwnHeap) {
        while let Some(left) = self.quarantine.pop() {
            let_go(heap, &self.stocks, left);
        }
        for class in ClassId::all() {
            if let Some(stock) = self.stock_at_hand(class) {
                stock.empty(0, |blocks| heap.flush(class, blocks));
            }
        }
    }
}

#[cold]
#[inline(never)]
fn fill(heap: OwnHeap, class: ClassId, stock: &mut Stock, full: usize) {
    heap.tick();
    stock.fill(full, |room| heap.refill(class, room));
}

/// The stock of `class`, if there is one.
#[inline(always)]
fn stock_of(stocks: &[*mut Stock; CLASSES], class: ClassId) -> Option<&'static mut Stock> {
    // SAFETY: null or a live stock of the thread whose state leads here; no other reference to it is held.
    unsafe { stocks.get(class.index()).copied()?.as_mut() }
}

/// Whether the heap's own block went into a stock that had room.
#[inline(always)]
fn keep(stocks: &[*mut Stock; CLASSES], left: Freed) -> bool {
    let class = left.class();
    stock_of(stocks, class).is_some_and(|stock| stock.put(left.at(), capacity(class)))
}

/// Whether another heap's went into the batch that is open for it.
#[inline(always)]
fn send(heap: OwnHeap, left: Freed) -> bool {
    let (at, own) = (left.at(), heap.addr());
    let room = heap::room_remote(own.as_ptr(), page_map::bin_of(at.granule(), own.0));
    room.map(|room| room.put(at)).is_some()
}

/// A block out of the quarantine: into its class's stock if it is this heap's, else home. Says whether a span got blocks.
#[inline]
fn let_go(heap: OwnHeap, stocks: &[*mut Stock; CLASSES], left: Freed) -> bool {
    let (at, class) = (left.at(), left.class());
    if !left.is_own() {
        let owner = page_map::tag(at).owner();
        if heap::holds_samples(owner) {
            // Where a batch is open frees come past the profiler, who is to see each of these.
            // SAFETY: the tag is that of a span: its owner is a heap.
            unsafe { heap::at(owner) }.free_direct(at);
            return true;
        }
        heap.free_remote(owner, class, at);
        return false;
    }
    let Some(stock) = stock_of(stocks, class) else {
        // Blocks of this class come from before a flush, or from an adopted heap's earlier thread.
        heap.free_direct(at);
        return true;
    };
    let full = capacity(class);
    if stock.put(at, full) {
        return false;
    }
    stock.empty(full / 2, |blocks| heap.flush(class, blocks));
    stock.put(at, full);
    true
}

#[cold]
#[inline(never)]
fn make(heap: OwnHeap) -> Option<()> {
    let record = meta::alloc(size_of::<State>())?;
    let fresh = State {
        random: Random::seeded(os::random()),
        quarantine: Quarantine::new(),
        stocks: [core::ptr::null_mut(); CLASSES],
    };
    // SAFETY: a record of this size, ours alone.
    unsafe { record.as_ptr::<State>().write(fresh) };
    heap.hardened().set(record);
    Some(())
}

/// Before a report: the program's handler may come back by a jump, and then nobody has the state.
pub(super) fn abandon() {
    if let Current::Heap(heap) = heap::current() {
        heap.hardened().set(Addr(heap.hardened().get().0 & !TAKEN));
    }
}

/// Gives everything back to the spans, and the state itself as well.
pub(super) fn close(heap: OwnHeap) {
    // What a handler of the thread's left by a jump had stays lost.
    let Some(mut state) = State::at_hand(heap).map(ManuallyDrop::new) else { return };
    state.flush(heap);
    for &stock in state.stocks.iter().filter(|stock| !stock.is_null()) {
        meta::free(Addr::of(stock), size_of::<Stock>());
    }
    state.quarantine.close();
    meta::free(Addr::of(&**state), size_of::<State>());
    heap.hardened().set(Addr::NULL);
}

const _: () = assert!(size_of::<State>() == 920, "one record of meta; docs/ARCHITECTURE.md, section 5");
