//! `State`: one heap's stocks, quarantine and random stream, and how blocks go from one to the other.

use super::claim::{self, Claim};
use super::quarantine::{Freed, Quarantine};
use super::random::Random;
use super::stock::{Stock, capacity};
use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::canary;
use crate::class::{CLASSES, ClassId};
use crate::heap::{self, OwnHeap};
use crate::meta;
use crate::os;
use crate::page_map;

pub(super) struct State {
    random: Random,
    pub(super) quarantine: Quarantine,
    /// Null while a class has none.
    stocks: [*mut Stock; CLASSES],
}

impl State {
    /// The heap's; `None`: it has none.
    #[inline(always)]
    pub(super) fn at_hand(heap: OwnHeap) -> Option<&'static mut State> {
        // SAFETY: null, or made by `make`, and freed only when the heap's thread ends; each caller is that thread, and holds no other.
        unsafe { heap.hardened().get().as_ptr::<State>().as_mut() }
    }

    /// The heap's, made at first use; `None`: out of memory.
    #[inline]
    pub(super) fn of(heap: OwnHeap) -> Option<&'static mut State> {
        State::at_hand(heap).or_else(|| make(heap))
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
fn make(heap: OwnHeap) -> Option<&'static mut State> {
    let record = meta::alloc(size_of::<State>())?;
    let fresh = State {
        random: Random::seeded(os::random()),
        quarantine: Quarantine::new(),
        stocks: [core::ptr::null_mut(); CLASSES],
    };
    // SAFETY: a record of this size, ours alone.
    unsafe { record.as_ptr::<State>().write(fresh) };
    heap.hardened().set(record);
    State::at_hand(heap)
}

/// Gives everything back to the spans, and the state itself as well.
pub(super) fn close(heap: OwnHeap) {
    let Some(state) = State::at_hand(heap) else { return };
    state.flush(heap);
    heap.hardened().set(Addr::NULL);
    for &stock in state.stocks.iter().filter(|stock| !stock.is_null()) {
        meta::free(Addr::of(stock), size_of::<Stock>());
    }
    state.quarantine.close();
    meta::free(Addr::of(state), size_of::<State>());
}

const _: () = assert!(size_of::<State>() == 920, "one record of meta; docs/ARCHITECTURE.md, section 5");
