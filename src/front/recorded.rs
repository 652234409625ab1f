//! What is recorded, and where: once a call, at the outermost of what it comes to. What an allocation made is written when it was, what is freed
//! before it is: so the times order what happened to an address.
//!
//! A recorded thread is a counted one (`heap::metered`): all of its calls come to the slow paths. Those of a thread without a heap do anyway.

use errno::{errno, set_errno};

use super::thread::{self, Caller};
use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::class::{self, MID_MAX};
use crate::heap::{self, Current, OwnHeap, Popped};
use crate::os::{self, gate, tls};
use crate::profile;
use crate::record::{self, Event};

/// Whether the calling thread's calls are recorded.
#[inline(always)]
fn is_on() -> bool {
    record::is_on() || (record::may_be_on() && record::start(heap::newest().is_some()))
}

#[inline(never)]
fn note(ticks: u64, event: Event) {
    if let Some(heap) = heap::metered() {
        return heap.recorder().note(ticks, event);
    }
    match heap::current() {
        Current::Heap(heap) => heap.recorder().note(ticks, event),
        Current::Unborn => note_first(ticks, event),
        Current::Late => record::note_aside(0, ticks, event),
    }
}

/// A thread that has no heap yet, for it asked for large blocks only, say, is given one: there is where it writes.
#[cold]
#[inline(never)]
fn note_first(ticks: u64, event: Event) {
    let saved = errno();
    let caller = gate::enter_anew().and_then(|_inside| thread::enter());
    set_errno(saved);
    match caller {
        Some(Caller::Own(heap)) => heap.recorder().note(ticks, event),
        _ => record::note_aside(0, ticks, event),
    }
}

/// Notes a request that `block` is the answer to, which it returns: called last, it leaves no frame.
#[inline(always)]
fn note_made(block: *mut u8, size: usize, made: impl FnOnce(Addr) -> Event) -> *mut u8 {
    let event = if block.is_null() { Event::Failed { size } } else { made(Addr::of(block)) };
    note(os::ticks(), event);
    block
}

#[inline(never)]
fn note_malloc(block: *mut u8, size: usize) -> *mut u8 {
    note_made(block, size, |at| Event::Malloc { size, at })
}

#[inline(never)]
fn note_calloc(block: *mut u8, size: usize) -> *mut u8 {
    note_made(block, size, |at| Event::Calloc { size, at })
}

#[inline(never)]
fn note_aligned(block: *mut u8, size: usize, align: usize) -> *mut u8 {
    note_made(block, size, |at| Event::Aligned { size, align, at })
}

/// A block of the thread's magazine, or what `serve` gives. A hit is written from here, without a further call.
#[inline(never)]
pub(super) fn alloc(size: usize, serve: impl FnOnce(usize) -> *mut u8) -> *mut u8 {
    let Some((heap, block, _)) = hit(size) else { return alloc_missed(size, serve) };
    heap.recorder().note(os::ticks(), Event::Malloc { size, at: block.addr() });
    block.into_raw()
}

/// The frames of this and the like lie under those of whatever the call comes to: they hold a word or two.
#[inline(never)]
fn alloc_missed(size: usize, serve: impl FnOnce(usize) -> *mut u8) -> *mut u8 {
    if is_on() { note_malloc(serve(size), size) } else { serve(size) }
}

/// The same, all zero.
#[inline(never)]
pub(super) fn alloc_zeroed(size: usize, serve: impl FnOnce(usize) -> *mut u8) -> *mut u8 {
    let Some((_, block, bytes)) = hit(size) else { return alloc_zeroed_missed(size, serve) };
    let block = block.into_raw();
    // SAFETY: a block of so many bytes, ours alone.
    unsafe { block.write_bytes(0, bytes) };
    note_calloc(block, size)
}

#[inline(never)]
fn alloc_zeroed_missed(size: usize, serve: impl FnOnce(usize) -> *mut u8) -> *mut u8 {
    if is_on() { note_calloc(serve(size), size) } else { serve(size) }
}

/// What `serve` gives, for a request of `size` bytes at a multiple of `align`.
#[inline]
pub(super) fn aligned(size: usize, align: usize, serve: impl FnOnce() -> *mut u8) -> *mut u8 {
    if record::may_be_on() && is_on() { note_aligned(serve(), size, align) } else { serve() }
}

/// A block of the calling thread's magazine, its heap and the block's bytes, if the thread is recorded and nobody else is to see the request.
#[inline(always)]
fn hit(size: usize) -> Option<(OwnHeap, Block, usize)> {
    let word = tls::get();
    // Not one that is checked besides, whose blocks are looked at on their way.
    if !heap::is_marked(word) || !record::is_on() || profile::is_on() || size > MID_MAX {
        return None;
    }
    // SAFETY: as asked.
    let heap = unsafe { heap::of_marked(word) };
    let offset = class::small_bin_offset(size);
    // SAFETY: a heap, and the offset of a class's bin.
    match unsafe { heap::bin_at(heap.addr().as_ptr(), offset) }.pop() {
        Popped::Block(block) => Some((heap, block, class::block_size_at(offset))),
        Popped::Empty => None,
    }
}

/// The block at `at` of a thread that is counted is about to be freed.
#[inline(always)]
pub(super) fn free_of(heap: OwnHeap, at: Addr) {
    heap.recorder().note(os::ticks(), Event::Free { at });
}

/// The block at `at` is about to be freed.
#[inline(never)]
pub(super) fn free(at: Addr) {
    note(os::ticks(), Event::Free { at });
}

/// The same, if that is not recorded yet: of a thread that is not counted.
#[cold]
#[inline(never)]
pub(super) fn free_uncounted(at: Addr) {
    if heap::metered().is_none() && is_on() {
        free(at);
    }
}

/// Now, for `moved`.
#[inline]
pub(super) fn now() -> u64 {
    if record::may_be_on() { os::ticks() } else { 0 }
}

/// `old` has become `fresh`, which holds `size` bytes, at `ticks`.
#[inline]
pub(super) fn moved(ticks: u64, old: Addr, size: usize, fresh: Addr) {
    if record::may_be_on() && is_on() {
        note(ticks, Event::Realloc { old, size, at: fresh });
    }
}

/// `block` becomes `fresh`, which holds `size` bytes; null: it is as it was.
#[inline]
pub(super) fn resized(block: *mut u8, size: usize, fresh: *mut u8) {
    if record::may_be_on() && is_on() {
        let old = Addr::of(block);
        note_made(fresh, size, |at| Event::Realloc { old, size, at });
    }
}

/// In parent or child, when a fork is over.
pub(crate) fn after_fork(child: bool) {
    if !record::is_on() {
        return;
    }
    if !child {
        note(os::ticks(), Event::Forked);
    } else if let Current::Heap(heap) = heap::current() {
        heap.recorder().at_fork_child();
    }
}
