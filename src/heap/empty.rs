//! The heap of blocks of no bytes, hardened: its spans lie in pages that are closed for as long as it has them. Whoever touches such a block faults.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicPtr, Ordering};

use super::registry;
use super::state::Heap;
use crate::base::addr::Addr;
use crate::base::block::Block;
use crate::class::ClassId;

static EMPTY: AtomicPtr<Heap> = AtomicPtr::new(core::ptr::null_mut());

/// A block of no bytes. `None`: out of memory. Any thread that holds no heap's lock.
pub(crate) fn alloc_empty() -> Option<Block> {
    registry::shared_heap(&EMPTY)?.alloc_direct(ClassId::from_index(0))
}

/// Whether the heap at a tag's owner address is that one.
#[inline(always)]
pub(crate) fn holds_empty(owner: Addr) -> bool {
    // Relaxed: only compared, and whoever has such a block got it after the heap was there.
    let empty = EMPTY.load(Ordering::Relaxed);
    !empty.is_null() && Addr::of(empty) == owner
}
