//! Box `pool_tls` (L6): mid and big sizes, 1025 bytes to 1 MiB, in the same magazines bounded by bytes.
//! Owns: that policy.   Calls: class, learn, heap.   Called by: front.   Locks: through heap.
//! Threads: the heap's own.
#![forbid(unsafe_code)]

use crate::class::{ClassId, TINY_CLASSES};
use crate::heap::OwnHeap;
use crate::learn;

/// Opens the gates of the mid and big classes in a heap just born or adopted.
pub(crate) fn prepare(heap: OwnHeap) {
    for class in ClassId::all().skip(TINY_CLASSES) {
        heap.bin(class).set_max(learn::depth_of(class));
    }
}
