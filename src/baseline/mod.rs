//! Box `baseline` (L6): the tiny front that T-HEAP is measured against. FastCache, then TLS SLL, then span.
//! Owns: `Baseline`, one for each heap that needs it, a record of meta.   Calls: base, os, canary, class, config, meta, page_map, span, heap.
//! Called by: front, report.   Locks: through heap.   Threads: the heap's own.
//! The SLL writes its links into free blocks: intrusive by definition, and the only place of the library that does. They are encoded, and looked at.

#[cfg(feature = "paranoid")]
mod check;
mod drain;
mod fast_cache;
mod tls_sll;

use core::cell::Cell;

use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::class::{ClassId, TINY_CLASSES};
use crate::config;
use crate::heap::OwnHeap;
use crate::meta;
use crate::os::{Defect, die};
use crate::span;
use fast_cache::FastCache;
use tls_sll::TlsSll;

#[cfg(feature = "paranoid")]
pub(crate) use check::check;

/// One class's two caches.
struct Front {
    cache: FastCache,
    sll: TlsSll,
    /// Frees since the SLL was drained.
    frees: Cell<u32>,
}

struct Baseline {
    fronts: [Front; TINY_CLASSES],
    drain_interval: u32,
    /// `HAKMEM_TINY_FRONT_DIRECT`: no SLL.
    direct: bool,
}

/// The heap's baseline state, if there is one.
#[inline]
fn made(heap: OwnHeap) -> Option<&'static Baseline> {
    // SAFETY: null, or made by `make`, and freed only when the heap's thread ends.
    unsafe { heap.baseline().get().as_ptr::<Baseline>().as_ref() }
}

/// The same, made at first use; `None`: out of memory.
fn state(heap: OwnHeap) -> Option<&'static Baseline> {
    if heap.baseline().get().is_null() {
        make(heap)?;
    }
    made(heap)
}

#[cold]
fn make(heap: OwnHeap) -> Option<()> {
    let record = meta::alloc(size_of::<Baseline>())?;
    let fresh = record.as_ptr::<Baseline>();
    // SAFETY: a zeroed record, ours alone; fronts are valid as zeroes: empty.
    unsafe { (&raw mut (*fresh).drain_interval).write(config::get::tiny_sll_drain_interval() as u32) };
    // SAFETY: as above.
    unsafe { (&raw mut (*fresh).direct).write(config::get::tiny_front_direct() == 1) };
    heap.baseline().set(record);
    Some(())
}

impl Baseline {
    fn front(&self, class: ClassId) -> &Front {
        debug_assert!(class.is_tiny());
        // SAFETY: front routes tiny classes only here, and those are below TINY_CLASSES.
        unsafe { self.fronts.get_unchecked(class.index()) }
    }
}

/// Whether it serves `class` in `heap`: the gate of a tiny class that T-HEAP does not serve stays shut.
#[inline]
pub(crate) fn serves(heap: OwnHeap, class: ClassId) -> bool {
    class.is_tiny() && heap.bin(class).max() == 0
}

/// A block of a tiny class that FastCache or the SLL has: no lock. `None`: neither has, or T-HEAP serves the class.
#[inline(always)]
pub(crate) fn hit(heap: OwnHeap, class: ClassId) -> Option<Block> {
    let front = made(heap)?.front(class);
    front.cache.pop().or_else(|| front.sll.pop(heap, class, Defect::MALLOC_STALE))
}

/// A block of a tiny class. `None`: out of memory.
#[inline(never)] // its buffers are not to lie on the stack of who has nothing to do with it
pub(crate) fn alloc(heap: OwnHeap, class: ClassId) -> Option<Block> {
    hit(heap, class).or_else(|| alloc_slow(heap, class))
}

#[cold]
#[inline(never)] // a jump: what a hit keeps on the stack is gone by then
fn alloc_slow(heap: OwnHeap, class: ClassId) -> Option<Block> {
    let front = state(heap)?.front(class);
    front.cache.refill(|room| heap.refill(class, room));
    front.cache.pop()
}

/// Takes back a block of this heap, if the baseline serves its class, and needs no lock for that. `false`: nothing was done.
#[inline]
pub(crate) fn keep(heap: OwnHeap, class: ClassId, block: Addr) -> bool {
    if !serves(heap, class) {
        return false;
    }
    let Some(state) = made(heap) else { return false };
    let front = state.front(class);
    let frees = front.frees.get() + 1;
    if frees >= state.drain_interval {
        return false;
    }
    look(front, block);
    if !put(state, front, block) {
        return false;
    }
    front.frees.set(frees);
    true
}

/// Puts `block` where there is room for it. `false`: nowhere.
#[inline]
fn put(state: &Baseline, front: &Front, block: Addr) -> bool {
    let kept = front.cache.push(block);
    if !kept && !state.direct {
        front.sll.push(block);
    }
    kept || !state.direct
}

/// That `block` is one, and not the one that came last.
#[inline]
fn look(front: &Front, block: Addr) {
    // The cache would hand it out again before any flush looks at it.
    if !span::starts_block(block) {
        die(Defect::FREE_INTERIOR, block);
    }
    if front.cache.newest() == Some(block) || front.sll.newest() == Some(block) {
        die(Defect::FREE_TWICE, block);
    }
}

/// Takes back a block of a tiny class and of this heap.
#[inline(never)] // as `alloc`
pub(crate) fn free(heap: OwnHeap, class: ClassId, block: Addr) {
    let Some(state) = state(heap) else { return heap.free_direct(block) };
    let front = state.front(class);
    look(front, block);
    if !put(state, front, block) {
        front.cache.flush_half(|blocks| heap.flush(class, blocks));
        front.cache.push(block);
    }
    front.frees.set(front.frees.get() + 1);
    if front.frees.get() >= state.drain_interval {
        front.frees.set(0);
        heap.tick();
        drain::drain(heap, class, &front.sll);
    }
}

/// Gives everything back to the spans, at thread exit or trim.
pub(crate) fn flush_all(heap: OwnHeap) {
    if heap.baseline().get().is_null() {
        return;
    }
    let Some(state) = state(heap) else { return };
    for class in ClassId::all().take(TINY_CLASSES) {
        let front = state.front(class);
        front.cache.flush_all(|blocks| heap.flush(class, blocks));
        drain::drain(heap, class, &front.sll);
    }
}

/// Gives the state itself back, once flushed.
pub(crate) fn close(heap: OwnHeap) {
    flush_all(heap);
    let record = heap.baseline().replace(Addr::NULL);
    if !record.is_null() {
        meta::free(record, size_of::<Baseline>());
    }
}

/// Blocks that wait in the caches of `heap`.
pub(crate) fn cached(heap: OwnHeap, class: ClassId) -> u64 {
    if heap.baseline().get().is_null() {
        return 0;
    }
    state(heap).map_or(0, |state| {
        let front = state.front(class);
        (front.cache.len() + front.sll.len()) as u64
    })
}

const _: () = assert!(size_of::<Baseline>() == 3208, "one record of meta; docs/ARCHITECTURE.md, section 5");
