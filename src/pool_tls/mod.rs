//! Box `pool_tls` (L6): mid sizes, 1025 bytes to 64 KiB, in the same magazines bounded by bytes.
//! Owns: that policy.   Calls: class, heap.   Called by: front.   Locks: through heap.
//! Threads: the heap's own.
#![forbid(unsafe_code)]

use crate::class::{ClassId, TINY_CLASSES};
use crate::heap::ThreadHeap;

/// Bytes of a magazine's blocks at most.
const MAX_BYTES: usize = 256 << 10;

/// Opens the gates of the mid classes in a heap just born or adopted.
pub(crate) fn prepare(heap: &ThreadHeap) {
    for class in ClassId::all().skip(TINY_CLASSES) {
        heap.bin(class).set_max(MAX_BYTES / class.block_size());
    }
}
