//! Who is calling: a thread with a heap, one to be given a heap, or one that shares the late heap.

use core::ffi::c_void;

use crate::baseline;
use crate::config;
use crate::heap::{self, Current, ThreadHeap};
use crate::large;
use crate::pool_tls;
use crate::superslab;
use crate::tiny_heap;

pub(super) enum Caller {
    /// The calling thread's own heap: all of it may be used.
    Own(&'static ThreadHeap),
    /// The late heap: only what goes through its lock.
    Shared(&'static ThreadHeap),
}

/// The calling thread's heap, made or adopted at its first slow path. `None`: out of memory.
pub(super) fn enter() -> Option<Caller> {
    match heap::current() {
        Current::Heap(heap) => Some(Caller::Own(heap)),
        Current::Unborn if config::ready() => birth().map(Caller::Own).or_else(shared),
        Current::Unborn | Current::Late => shared(),
    }
}

fn shared() -> Option<Caller> {
    heap::late_heap().map(Caller::Shared)
}

#[cold]
fn birth() -> Option<&'static ThreadHeap> {
    heap::adopt_or_make(prepare, on_exit)
}

fn prepare(heap: &ThreadHeap) {
    tiny_heap::prepare(heap);
    pool_tls::prepare(heap);
}

/// The thread-exit destructor of a thread with a heap.
unsafe extern "C" fn on_exit(_: *mut c_void) {
    if let Current::Heap(heap) = heap::current() {
        heap::orphan(heap, on_exit, baseline::close);
    }
}

/// Gives the calling thread's caches back to the spans, takes every heap's inbox in, and gives everything idle back to
/// the kernel. Returns the bytes given back.
pub(crate) fn trim() -> usize {
    if let Current::Heap(heap) = heap::current() {
        baseline::flush_all(heap);
        heap.flush_all();
    }
    give_back(true)
}

/// Before a request fails: gives back what all heaps hold idle, as far as their locks are free.
#[cold]
pub(super) fn reclaim() {
    give_back(false);
}

fn give_back(wait: bool) -> usize {
    heap::each_heap(|heap| {
        heap.trim(wait);
    });
    superslab::trim() + large::trim()
}
