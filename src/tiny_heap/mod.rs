//! Box `tiny_heap` (L6), T-HEAP: which tiny classes have magazines, and how long these may grow.
//! Owns: that policy.   Calls: class, config, learn, heap.   Called by: front, report.   Locks: through heap.
//! Threads: the heap's own.   Never: stands between a magazine and its spans.
#![forbid(unsafe_code)]

use crate::class::{ClassId, TINY_CLASSES};
use crate::config;
use crate::heap::OwnHeap;
use crate::learn;

/// Whether T-HEAP serves `class`; otherwise the baseline does.
pub(crate) fn is_on(class: ClassId) -> bool {
    config::get::tiny_heap_v2() == 1 && config::get::tiny_heap_v2_class_mask() >> class.index() & 1 == 1
}

/// Opens the gates of the tiny classes that T-HEAP serves, or of `all`, in a heap just born or adopted.
pub(crate) fn prepare(heap: OwnHeap, all: bool) {
    for class in ClassId::all().take(TINY_CLASSES) {
        let entries = if all || is_on(class) { learn::depth_of(class) } else { 0 };
        heap.bin(class).set_max(entries);
    }
}
