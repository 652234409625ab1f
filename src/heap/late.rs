//! The heap for threads that have none: those past their teardown, and all inside the loader's start. It has no magazines, and is entered by its lock.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicPtr, Ordering};

use super::bin::Bins;
use super::registry;
use super::state::Heap;
use crate::os::tls::Zeroes;

/// What a thread's TLS word points to once its heap is gone for good: zeroes, like `tls::NO_HEAP`.
pub(super) static LATE_THREAD: Zeroes = Zeroes([0; 512]);

pub(super) static LATE: AtomicPtr<Heap> = AtomicPtr::new(core::ptr::null_mut());

/// That heap, made when it is first asked for. `None`: out of memory.
pub(crate) fn late_heap() -> Option<&'static Heap> {
    registry::shared_heap(&LATE)
}

/// Whether it is the one that serves threads without a heap.
pub(super) fn is_late(heap: &Heap) -> bool {
    // Relaxed: only compared.
    core::ptr::eq(LATE.load(Ordering::Relaxed), heap)
}

const _: () =
    assert!(size_of::<Bins>() <= size_of_val(&LATE_THREAD), "a thread without a heap reads zeroes as its bins");
