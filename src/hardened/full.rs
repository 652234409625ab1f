//! Blocks up to 64 KiB with `HAKMEM_HARDENED=1`, through heaps whose magazines have no capacity.
//!
//! A block's life: out of a span into a stock; chosen at random and checked to be zero; the program's, a canary behind the
//! bytes it asked for and zeroes behind that; checked and zeroed when freed; in the quarantine of the thread that freed it;
//! back into a stock, or to the owner.

use super::claim::{Claim, MIN_SLACK, Place, place};
use super::quarantine::{Freed, Quarantine};
use super::random::Random;
use super::stock::{Stock, capacity};
use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::canary::{self, CANARY};
use crate::class::{CLASSES, ClassId};
use crate::heap::{self, Current, Heap, OwnHeap};
use crate::meta;
use crate::os::{self, Defect, die, die_sized};
use crate::trace;

/// One heap's state.
struct State {
    random: Random,
    quarantine: Quarantine,
    /// Null while a class has none.
    stocks: [*mut Stock; CLASSES],
}

/// The class of a block for `size` bytes at a multiple of `align`, its canary included; `None`: it is a large block.
#[inline]
pub(crate) fn class_for(size: usize, align: usize) -> Option<ClassId> {
    let bytes = size.max(1).checked_add(CANARY)?;
    let class = if align <= 16 { ClassId::of(bytes) } else { ClassId::aligned(bytes, align) };
    class.filter(|class| !class.is_big())
}

/// A block of `class` for `size` bytes, all zero but for its canary, and whether that was looked at. `None`: out of memory.
#[inline]
pub(crate) fn alloc(heap: OwnHeap, class: ClassId, size: usize) -> Option<(Block, bool)> {
    let state = state(heap)?;
    let stock = state.stock(class)?;
    // SAFETY: a live stock of this thread's; no other reference to it is held.
    let stock = unsafe { &mut *stock };
    let full = capacity(class);
    if stock.len <= full / 2 {
        state.fill(heap, class, stock, full);
    }
    let bytes = class.block_size();
    let block = stock.take(&mut state.random, |next| canary::soon(next, bytes))?;
    let zero = hand_out(block.addr(), size);
    Some((block, zero))
}

/// `alloc` from a heap that is not the calling thread's.
pub(crate) fn alloc_shared(heap: &Heap, class: ClassId, size: usize) -> Option<(Block, bool)> {
    let block = heap.alloc_direct(class)?;
    let zero = hand_out(block.addr(), size);
    Some((block, zero))
}

/// Checks that nobody wrote into the free block, and makes it the program's. `false`: it may hold anything, for it has no claim, or
/// its pages were never used, and it was not looked at.
#[inline]
fn hand_out(block: Addr, size: usize) -> bool {
    let Some(Place { bytes, claim: Some(claim), .. }) = place(block) else { return false };
    let size = size.max(1);
    let fresh = claim.is_fresh();
    if !fresh {
        // SAFETY: a free block that is this thread's alone.
        let untouched = unsafe { canary::is_zero(block, bytes) };
        if !untouched {
            die_sized(Defect::MALLOC_STALE, bytes, block);
        }
    }
    claim.begin();
    // SAFETY: the end of the block, which is ours until we return it.
    unsafe { canary::set(block.offset(size), bytes - size) };
    claim.set(bytes - size);
    trace::on_alloc(block);
    !fresh
}

/// What the program freed, checked and zeroed.
enum Retired {
    Checked,
    /// A block from before the options were read.
    Plain,
}

/// The last 8 bytes of a block of `bytes` bytes of which all but so many at the end are the program's: what is left there of its canary.
fn end_of(bytes: usize) -> impl Fn(Addr, usize) -> u64 {
    move |at, slack| {
        if slack < 2 * CANARY { canary::value(at.offset(bytes - slack)) >> (8 * (slack - CANARY)) } else { 0 }
    }
}

/// Ends the program's hold of the block at `at`, or the process. `said`: the size that the program gave.
#[inline]
fn retire(at: Addr, said: Option<usize>) -> Retired {
    let Some(place) = place(at) else { die(Defect::FREE_INTERIOR, at) };
    let Some(claim) = place.claim else { return Retired::Plain };
    let Some(slack) = claim.take() else { die(Defect::FREE_TWICE, at) };
    let size = place.bytes - slack;
    if said.is_some_and(|said| said.max(1) != size) {
        die_sized(Defect::FREE_SIZE, size, at);
    }
    // SAFETY: the end of a block that was the program's and now is ours.
    if !unsafe { canary::holds(at.offset(size), slack) } {
        die_sized(Defect::FREE_OVERFLOW, size, at);
    }
    if !place.is_clear_before(at, end_of(place.bytes)) {
        die_sized(Defect::FREE_UNDERFLOW, size, at);
    }
    trace::on_free(at);
    // SAFETY: as above; what is behind the canary is zero.
    unsafe { at.as_ptr::<u8>().write_bytes(0, size + MIN_SLACK) };
    claim.let_go();
    Retired::Checked
}

/// Takes back the block at `at`, of `class` and the heap at `owner`, or ends the process. Says whether that gave blocks
/// back to a span.
#[inline]
pub(crate) fn free(heap: OwnHeap, owner: Addr, class: ClassId, at: Addr, said: Option<usize>) -> bool {
    let own = heap.addr() == owner;
    canary::soon(at, class.block_size());
    match (retire(at, said), state(heap)) {
        (Retired::Checked, Some(state)) => {
            let mut gave = false;
            state.hold(heap, Freed::new(at, class, own), &mut gave);
            gave
        }
        (Retired::Plain, _) | (_, None) if own => {
            heap.free_direct(at);
            true
        }
        (Retired::Plain, _) | (_, None) => {
            heap.free_remote(owner, class, at);
            true
        }
    }
}

/// `free` by a thread without a heap: past the quarantine, to `owner`.
pub(crate) fn free_shared(owner: &Heap, at: Addr, said: Option<usize>) {
    retire(at, said);
    owner.free_direct(at);
}

/// Bytes that the program may use of the block at `at`: those it asked for. `None`: no block of its starts there.
pub(crate) fn usable(at: Addr) -> Option<usize> {
    let place = place(at)?;
    match place.claim {
        Some(claim) => Some(place.bytes - claim.slack()?),
        None => Some(place.bytes),
    }
}

/// Makes the block at `at` hold `size` bytes where it is. Otherwise says how many it holds.
pub(crate) fn resize(at: Addr, size: usize) -> Result<(), usize> {
    let Some(Place { bytes, claim, .. }) = place(at) else { die(Defect::REALLOC_INTERIOR, at) };
    let Some(claim) = claim else { return Err(bytes) };
    let Some(slack) = claim.slack() else { die(Defect::REALLOC_FOREIGN, at) };
    let old = bytes - slack;
    // SAFETY: the end of the program's block, which it lets us change.
    if !unsafe { canary::holds(at.offset(old), slack) } {
        die_sized(Defect::REALLOC_OVERFLOW, old, at);
    }
    if class_for(size, 1).is_none_or(|class| class.block_size() != bytes) {
        return Err(old);
    }
    move_end(at, bytes, old, size, claim);
    Ok(())
}

/// Makes the block at `at`, which the program holds, end after `most` bytes, or as many as there are of it, `least` at least. Says how many;
/// `None`: it has no more to give, and is as before.
pub(crate) fn expand(at: Addr, least: usize, most: usize) -> Option<usize> {
    let Place { bytes, claim, .. } = place(at)?;
    let claim = claim?;
    let slack = claim.slack()?;
    let old = bytes - slack;
    // SAFETY: the end of the program's block, which it lets us change.
    if !unsafe { canary::holds(at.offset(old), slack) } {
        die_sized(Defect::EXPAND_OVERFLOW, old, at);
    }
    let new = most.min(bytes - CANARY).max(old);
    if new < least {
        return None;
    }
    move_end(at, bytes, old, new, claim);
    Some(new)
}

/// Makes the block at `at`, which `resize` looked at, end after `size` bytes, no more than it has.
pub(crate) fn cut(at: Addr, size: usize) {
    let Some(Place { bytes, claim: Some(claim), .. }) = place(at) else { return };
    let Some(slack) = claim.slack() else { return };
    move_end(at, bytes, bytes - slack, size, claim);
}

fn move_end(at: Addr, bytes: usize, old: usize, new: usize, claim: Claim) {
    let from = old.min(new);
    claim.begin();
    // SAFETY: within the block: the old canary, and what the program gives up.
    unsafe { at.as_ptr::<u8>().add(from).write_bytes(0, old + CANARY - from) };
    // SAFETY: the block's end.
    unsafe { canary::set(at.offset(new), bytes - new) };
    claim.set(bytes - new);
}

impl State {
    #[inline]
    fn stock(&mut self, class: ClassId) -> Option<*mut Stock> {
        let slot = self.stocks.get_mut(class.index())?;
        if slot.is_null() {
            *slot = meta::alloc(size_of::<Stock>())?.as_ptr();
        }
        Some(*slot)
    }

    #[cold]
    #[inline(never)]
    fn fill(&mut self, heap: OwnHeap, class: ClassId, stock: &mut Stock, full: usize) {
        heap.tick();
        stock.fill(full, |room| heap.refill(class, room));
    }

    fn reseed(&mut self) {
        self.random = Random::seeded(os::random());
        for stock in self.stocks.into_iter().filter(|stock| !stock.is_null()) {
            // SAFETY: a live stock of this thread's.
            unsafe { &mut *stock }.forget_choice();
        }
    }

    /// Into the quarantine, and what that lets go to where it came from.
    #[inline]
    fn hold(&mut self, heap: OwnHeap, freed: Freed, gave: &mut bool) {
        let State { quarantine, stocks, .. } = self;
        quarantine.push(freed, |left| *gave |= let_go(heap, stocks, left));
    }

    /// Everything back to the spans.
    fn flush(&mut self, heap: OwnHeap) {
        while let Some(left) = self.quarantine.pop() {
            let_go(heap, &mut self.stocks, left);
        }
        for (class, stock) in ClassId::all().zip(&self.stocks) {
            if !stock.is_null() {
                // SAFETY: a live stock of this thread's.
                unsafe { &mut **stock }.empty(0, |blocks| heap.flush(class, blocks));
            }
        }
    }
}

/// A block out of the quarantine: into its class's stock if it is this heap's, else home. Says whether a span got blocks.
#[inline]
fn let_go(heap: OwnHeap, stocks: &mut [*mut Stock; CLASSES], left: Freed) -> bool {
    let (at, class) = (left.at(), left.class());
    if !left.is_own() {
        heap.free_remote(crate::page_map::tag(at).owner(), class, at);
        return false;
    }
    let stock = stocks.get(class.index()).copied().unwrap_or(core::ptr::null_mut());
    if stock.is_null() {
        // Blocks of this class come from before a flush, or from an adopted heap's earlier thread.
        heap.free_direct(at);
        return true;
    }
    // SAFETY: a live stock of this thread's; no other reference to it is held.
    let stock = unsafe { &mut *stock };
    let full = capacity(class);
    if stock.put(at, full) {
        return false;
    }
    stock.empty(full / 2, |blocks| heap.flush(class, blocks));
    stock.put(at, full);
    true
}

/// The heap's state, made at first use; `None`: out of memory.
#[inline]
fn state(heap: OwnHeap) -> Option<&'static mut State> {
    if heap.hardened().get().is_null() {
        make(heap)?;
    }
    // SAFETY: made by `make`, and freed only when the heap's thread ends; each caller is that thread, and holds no other.
    Some(unsafe { &mut *heap.hardened().get().as_ptr::<State>() })
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

/// Gives everything back to the spans: at trim, or when memory is short.
pub(crate) fn flush_all(heap: OwnHeap) {
    if heap.hardened().get().is_null() {
        return;
    }
    if let Some(state) = state(heap) {
        state.flush(heap);
    }
}

/// Gives the state itself back as well.
pub(crate) fn close(heap: OwnHeap) {
    flush_all(heap);
    let record = heap.hardened().replace(Addr::NULL);
    if record.is_null() {
        return;
    }
    // SAFETY: the heap's thread, and the heap no longer names it.
    let state = unsafe { &mut *record.as_ptr::<State>() };
    for &stock in state.stocks.iter().filter(|stock| !stock.is_null()) {
        meta::free(Addr::of(stock), size_of::<Stock>());
    }
    state.quarantine.close();
    meta::free(record, size_of::<State>());
}

/// Before the process ends: of what its thread holds back nobody will find out any more whether it was written to.
pub(crate) fn at_exit() {
    let Current::Heap(heap) = heap::current() else { return };
    if heap.hardened().get().is_null() {
        return;
    }
    let Some(state) = state(heap) else { return };
    for freed in state.quarantine.all() {
        let (at, bytes) = (freed.at(), freed.class().block_size());
        // SAFETY: a free block that this thread holds.
        if !unsafe { canary::is_zero(at, bytes) } {
            die_sized(Defect::EXIT_STALE, bytes, at);
        }
    }
}

/// Blocks of `class` that wait in the stock and quarantine of `heap`.
pub(crate) fn cached(heap: OwnHeap, class: ClassId) -> u64 {
    if heap.hardened().get().is_null() {
        return 0;
    }
    state(heap).map_or(0, |state| {
        let stock = state.stocks.get(class.index()).copied().unwrap_or(core::ptr::null_mut());
        // SAFETY: null or a live stock of this thread's.
        let stocked = unsafe { stock.as_ref() }.map_or(0, |stock| stock.len);
        (stocked + state.quarantine.held(class)) as u64
    })
}

/// In a child of fork: other random numbers than the parent's. The states of other threads are given up with their heaps.
pub(crate) fn at_fork_child() {
    let Current::Heap(heap) = heap::current() else { return };
    if heap.hardened().get().is_null() {
        return;
    }
    if let Some(state) = state(heap) {
        state.reseed();
    }
}

const _: () = {
    assert!(MIN_SLACK == CANARY, "a claim has room for a canary");
    assert!(size_of::<State>() == 912, "one record of meta; docs/ARCHITECTURE.md, section 5");
};
