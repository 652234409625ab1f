//! Blocks up to 64 KiB with `HAKMEM_HARDENED=1`, through heaps whose magazines have no capacity.
//!
//! A block's life: out of a span into a stock; chosen at random and checked to be zero; the program's, a canary behind the
//! bytes it asked for and zeroes behind that; checked and zeroed when freed; in the quarantine of the thread that freed it;
//! back into a stock, or to the owner.

use core::sync::atomic::{AtomicU64, Ordering};

use super::claim::{Claim, MIN_SLACK, Place, place, place_here};
use super::quarantine::Freed;
use super::state::{self, State};
use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::canary::{self, CANARY, SHORT};
use crate::class::{self, BIN_STRIDE, ClassId, MID_MAX};
use crate::heap::{self, Current, Heap, OwnHeap};
use crate::os::{Defect, die, die_sized};
use crate::trace;

/// The class of a block for `size` bytes at a multiple of `align`, its canary included; `None`: it is a large block.
#[inline]
pub(crate) fn class_for(size: usize, align: usize) -> Option<ClassId> {
    let bytes = size.max(1).checked_add(CANARY)?;
    let class = if align <= 16 { ClassId::of(bytes) } else { ClassId::aligned(bytes, align) };
    class.filter(|class| !class.is_big())
}

/// The same of one byte at least; `None`: of none, or above a granule.
#[inline(always)]
pub(crate) fn small_class(size: usize) -> Option<ClassId> {
    let is_small = size.wrapping_sub(1) < MID_MAX - CANARY;
    is_small.then(|| ClassId::from_index(class::small_bin_offset(size + CANARY) / BIN_STRIDE))
}

/// A block of `class` for `size` bytes, all zero but for its canary, and whether that was looked at. `None`: out of memory.
#[inline]
pub(crate) fn alloc(heap: OwnHeap, class: ClassId, size: usize) -> Option<(Block, bool)> {
    let (block, claim) = match State::of(heap) {
        Some(mut state) => state.take(heap, class)?,
        // No memory for one, or this interrupted what has it: by the heap's lock, which nobody holds meanwhile who was interrupted.
        None => (heap.alloc_direct(class)?, None),
    };
    let zero = hand_out(block.addr(), claim.or_else(|| claim_of(block.addr())), class.block_size(), size);
    Some((block, zero))
}

/// The same, if it is at hand: nothing is touched but what is the thread's. `None`: nothing was done.
#[inline(always)]
pub(crate) fn try_alloc(heap: OwnHeap, class: ClassId, size: usize) -> Option<(Block, bool)> {
    let (block, claim) = State::at_hand(heap)?.take_at_hand(class)?;
    let zero = hand_out_here(block.addr(), claim.or_else(|| claim_of(block.addr())), class.block_size(), size);
    Some((block, zero))
}

/// `alloc` from a heap that is not the calling thread's.
pub(crate) fn alloc_shared(heap: &Heap, class: ClassId, size: usize) -> Option<(Block, bool)> {
    let block = heap.alloc_direct(class)?;
    let zero = hand_out(block.addr(), claim_of(block.addr()), class.block_size(), size);
    Some((block, zero))
}

/// The claim of a block, where it was not looked for before.
#[cold]
#[inline(never)]
fn claim_of(block: Addr) -> Option<Claim> {
    place(block)?.claim
}

/// Checks that nobody wrote into the free block of `bytes` bytes, and makes it the program's. `false`: it may hold anything, for it has no claim, or
/// it is longer than a page and was never used, and it was not looked at.
#[inline(never)]
fn hand_out(block: Addr, claim: Option<Claim>, bytes: usize, size: usize) -> bool {
    hand_out_here(block, claim, bytes, size)
}

/// The same, without a call as far as the block is short and well.
#[inline(always)]
fn hand_out_here(block: Addr, claim: Option<Claim>, bytes: usize, size: usize) -> bool {
    let Some(claim) = claim else { return false };
    let size = size.max(1);
    let looked = !claim.is_fresh() || is_near(block, bytes);
    if looked {
        // SAFETY: a free block that is this thread's alone, of a multiple of 16 bytes.
        let untouched =
            unsafe { if bytes <= SHORT { canary::is_zero_short(block, bytes) } else { canary::is_zero(block, bytes) } };
        if !untouched {
            die_sized(Defect::MALLOC_STALE, bytes, block);
        }
    }
    claim.begin();
    // SAFETY: the end of the block, which is ours until we return it.
    unsafe { canary::set(block.offset(size), bytes - size) };
    claim.set(bytes - size);
    trace::on_alloc(block);
    looked
}

/// Whether a block that was never used is looked at all the same: one whose pages its canary and the program's first bytes need anyway. They are
/// made to be there by a write, of what is there: else a look would be a fault, and the write behind it another.
#[cold]
#[inline(never)]
fn is_near(block: Addr, bytes: usize) -> bool {
    if bytes > PAGE {
        return false;
    }
    for at in [block, block.offset(bytes - size_of::<u64>())] {
        // SAFETY: a word of a free block that is this thread's alone. Not an `or` of nothing, of which the compiler makes a load.
        let word = unsafe { &*at.as_ptr::<AtomicU64>() };
        // Relaxed: it publishes nothing. Refused, it has written as well.
        let _ = word.compare_exchange(0, 0, Ordering::Relaxed, Ordering::Relaxed);
    }
    true
}

/// The shortest pages there are.
const PAGE: usize = 4096;

/// Bytes behind a canary that are looked at without a branch, of a block that is not short: mostly there are no more.
const NEAR: usize = 128;

/// What the program freed, checked and zeroed.
enum Retired {
    Checked,
    /// A block from before the options were read.
    Plain,
}

/// The last 8 bytes of a block of `bytes` bytes of which all but so many at the end are the program's: what is left there of its canary.
#[inline(always)]
fn end_of(bytes: usize) -> impl Fn(Addr, usize) -> u64 {
    move |at, slack| last_word(at, bytes, slack)
}

#[inline(always)]
fn last_word(at: Addr, bytes: usize, slack: usize) -> u64 {
    if slack < 2 * CANARY { canary::value(at.offset(bytes - slack)) >> (8 * (slack - CANARY)) } else { 0 }
}

#[cold]
fn accuse(what: Defect, at: Addr) -> ! {
    state::abandon();
    die(what, at)
}

#[cold]
fn accuse_sized(what: Defect, bytes: usize, at: Addr) -> ! {
    state::abandon();
    die_sized(what, bytes, at)
}

/// Ends the program's hold of the block at `at`, or the process. `said`: the size that the program gave.
#[inline(never)]
fn retire(at: Addr, said: Option<usize>) -> Retired {
    retire_here(at, place_here(at), said)
}

/// The same, without a call as far as the block is short and well.
#[inline(always)]
fn retire_here(at: Addr, place: Option<Place>, said: Option<usize>) -> Retired {
    let Some(place) = place else { accuse(Defect::FREE_INTERIOR, at) };
    let Some(claim) = place.claim else { return Retired::Plain };
    // Before the swap, at which loads have to wait: the hash is made meanwhile.
    let likely = claim.peek();
    let value = canary::value(Addr(at.0.wrapping_add(place.bytes).wrapping_sub(likely)));
    let Some(slack) = claim.take() else { accuse(Defect::FREE_TWICE, at) };
    let size = place.bytes - slack;
    if said.is_some_and(|said| said.max(1) != size) {
        accuse_sized(Defect::FREE_SIZE, size, at);
    }
    let end = at.offset(size);
    let value = if slack == likely { value } else { canary::value(end) };
    // SAFETY: the end of a block that was the program's and now is ours.
    let holds = unsafe {
        if place.bytes <= SHORT {
            canary::holds_value::<16>(end, slack, value)
        } else {
            canary::holds_value::<NEAR>(end, slack, value)
        }
    };
    if !holds {
        accuse_sized(Defect::FREE_OVERFLOW, size, at);
    }
    if !place.is_clear_before(at, end_of(place.bytes)) {
        accuse_sized(Defect::FREE_UNDERFLOW, size, at);
    }
    trace::on_free(at);
    if place.bytes <= SHORT {
        // SAFETY: as above, all of it.
        unsafe { canary::wipe_short(at, place.bytes) };
    } else {
        // SAFETY: as above; what is behind the canary is zero.
        unsafe { at.as_ptr::<u8>().write_bytes(0, size + MIN_SLACK) };
    }
    claim.let_go();
    Retired::Checked
}

/// Takes back the block at `at`, of `class` and the heap at `owner`, or ends the process. Says whether that gave blocks
/// back to a span.
#[inline]
pub(crate) fn free(heap: OwnHeap, owner: Addr, class: ClassId, at: Addr, said: Option<usize>) -> bool {
    let own = heap.addr() == owner;
    canary::soon(at, class.block_size());
    match (retire(at, said), State::of(heap)) {
        (Retired::Checked, Some(mut state)) => return state.hold(heap, Freed::new(at, class, own)),
        (Retired::Plain, _) if !own => _ = heap.free_remote(owner, class, at),
        // As in `alloc`. SAFETY: the tag was that of a span: its owner is a heap.
        _ => unsafe { heap::at(owner) }.free_direct(at),
    }
    true
}

/// `free` of a block, the heap's `own` or another thread's, if nothing is touched by it but what is the thread's. `false`: nothing was done.
#[inline(always)]
pub(crate) fn try_free(heap: OwnHeap, class: ClassId, at: Addr, own: bool, said: Option<usize>) -> bool {
    canary::soon(at, class.block_size());
    let Some(mut state) = State::at_hand(heap) else { return false };
    // Before what does not depend on it: it takes one look after another.
    let place = place_here(at);
    if !state.make_room(heap, class) {
        return false;
    }
    let Retired::Checked = retire_here(at, place, said) else { return false };
    state.quarantine.keep(Freed::new(at, class, own));
    true
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

/// Gives everything back to the spans: at trim, or when memory is short.
pub(crate) fn flush_all(heap: OwnHeap) {
    if let Some(mut state) = State::at_hand(heap) {
        state.flush(heap);
    }
}

/// Gives the state itself back as well.
pub(crate) fn close(heap: OwnHeap) {
    state::close(heap);
}

/// Before the process ends: of what its thread holds back nobody will find out any more whether it was written to.
pub(crate) fn at_exit() {
    let Current::Heap(heap) = heap::current() else { return };
    let Some(state) = State::at_hand(heap) else { return };
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
    State::at_hand(heap).map_or(0, |mut state| (state.stocked(class) + state.quarantine.held(class)) as u64)
}

/// In a child of fork: other random numbers than the parent's. The states of other threads are given up with their heaps.
pub(crate) fn at_fork_child() {
    let Current::Heap(heap) = heap::current() else { return };
    if let Some(mut state) = State::at_hand(heap) {
        state.reseed();
    }
}

const _: () = assert!(MIN_SLACK == CANARY, "a claim has room for a canary");
