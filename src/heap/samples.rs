//! The heap of sampled blocks: their spans are its own, so a sampled block is known by its tag.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicPtr, Ordering};

use super::registry;
use super::state::Heap;
use crate::base::addr::Addr;

pub(super) static SAMPLES: AtomicPtr<Heap> = AtomicPtr::new(core::ptr::null_mut());

/// That heap, made when it is first asked for. `None`: out of memory.
pub(crate) fn sample_heap() -> Option<&'static Heap> {
    registry::shared_heap(&SAMPLES)
}

/// Whether the heap at a tag's owner address is that one.
#[inline(always)]
pub(crate) fn holds_samples(owner: Addr) -> bool {
    // Relaxed: only compared, and whoever has a sampled block got it after the heap was there.
    let samples = SAMPLES.load(Ordering::Relaxed);
    !samples.is_null() && Addr::of(samples) == owner
}
