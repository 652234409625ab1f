//! Feature `paranoid`: the walker over the baseline's caches.
#![forbid(unsafe_code)]

use super::{TINY_CLASSES, state};
use crate::base::addr::Addr;
use crate::class::ClassId;
use crate::heap::OwnHeap;
use crate::os::require;

/// F1 and T1.
pub(crate) fn check(heap: OwnHeap) {
    if heap.baseline().get().is_null() {
        return;
    }
    let Some(state) = state(heap) else { return };
    for class in ClassId::all().take(TINY_CLASSES) {
        let front = state.front(class);
        front.cache.each(|block| heap.check_cached(class, block));
        let mut chained = 0;
        front.sll.each(|block| {
            heap.check_cached(class, block);
            chained += 1;
            require(chained <= front.sll.len(), "T1: the list is longer than its length", block);
        });
        require(chained == front.sll.len(), "T1: the list is shorter than its length", Addr::of(front));
    }
}
