//! Box `pool_tls` (L6): mid and big sizes, 1025 bytes to 1 MiB, in the same magazines bounded by bytes.
//! Owns: that policy.   Calls: class, config, learn, heap.   Called by: front.   Locks: through heap.
//! Threads: the heap's own.
#![forbid(unsafe_code)]

use crate::class::{ClassId, TINY_CLASSES};
use crate::config;
use crate::heap::OwnHeap;
use crate::learn;

/// Opens the gates of the mid and big classes in a heap just born or adopted. A heap's that is hardened in full stay shut.
pub(crate) fn prepare(heap: OwnHeap) {
    for class in ClassId::all().skip(TINY_CLASSES) {
        let entries = if config::get::hardened() != config::hardened::FULL { learn::depth_of(class) } else { 0 };
        heap.bin(class).set_max(entries);
    }
}
