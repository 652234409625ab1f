//! Who is calling: a thread with a heap, one to be given a heap, or one that shares the late heap.

use core::ffi::c_void;

use super::notes;
use crate::baseline;
use crate::class::ClassId;
use crate::config;
use crate::hardened;
use crate::heap::{self, Current, Heap, Left, OwnHeap};
use crate::os::gate;
use crate::pool_tls;
use crate::reclaim;
use crate::tiny_heap;

/// Blocks up to this size are served to a thread without a heap.
const LIGHT_BYTES: usize = 8 << 10;

pub(super) enum Caller {
    /// The calling thread's own heap: all of it may be used.
    Own(OwnHeap),
    /// The late heap: only what goes through its lock.
    Shared(&'static Heap),
}

/// The calling thread's heap, made or adopted at its first slow path. `None`: out of memory.
pub(super) fn enter() -> Option<Caller> {
    match heap::current() {
        Current::Heap(heap) => {
            heap::follow(heap);
            Some(Caller::Own(heap))
        }
        Current::Unborn if config::ready() => birth().map(Caller::Own).or_else(shared),
        Current::Unborn | Current::Late => shared(),
    }
}

/// `enter` for a block of `class` or, with none of its own, to free one: a thread that has made few calls yet is served by the shared heap.
pub(super) fn enter_light(class: ClassId) -> Option<Caller> {
    let is_light = class.block_size() <= LIGHT_BYTES && config::ready() && !hardened::is_full();
    if is_light && heap::does_without() { shared() } else { enter() }
}

fn shared() -> Option<Caller> {
    heap::late_heap().map(Caller::Shared)
}

#[cold]
fn birth() -> Option<OwnHeap> {
    orphan_lost();
    let heap = heap::adopt_or_make(prepare, on_exit);
    if heap::is_any_unheard() {
        reclaim::dismiss_background();
    }
    heap
}

/// Where threads end without a word: the heaps they left are to be adopted, before there are more.
fn orphan_lost() {
    while let Some(left) = heap::take_lost() {
        orphan(left);
    }
}

/// Opens the gates of the magazines of a heap just born or adopted, as the mode has it.
pub(super) fn prepare(heap: OwnHeap) {
    // Hardened in full no magazine has room.
    if !hardened::is_full() {
        // The light form's all have: the baseline writes into free blocks.
        tiny_heap::prepare(heap, hardened::is_light());
        pool_tls::prepare(heap);
    }
}

/// The thread-exit destructor of a thread with a heap.
unsafe extern "C" fn on_exit(_: *mut c_void) {
    let Current::Heap(heap) = heap::current() else { return };
    // Not yet, in the first rounds.
    let Some(left) = heap::leave(heap, on_exit) else { return };
    match gate::enter() {
        Some(_inside) => orphan(left),
        None => return notes::exit(left),
    }
    // Outside: it may wait for a thread to end.
    reclaim::leave_background();
}

/// Behind the gate.
pub(super) fn orphan(left: Left) {
    heap::orphan(left, |heap| {
        baseline::close(heap);
        hardened::close(heap);
    });
    reclaim::after_exit();
}
