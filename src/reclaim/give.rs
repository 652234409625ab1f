//! The ways back: so many bytes, or all that is idle.
#![forbid(unsafe_code)]

use super::figures::COUNTS;
use super::regret;
use crate::hardened;
use crate::heap::{self, Current};
use crate::large;
use crate::os::lock::Mutex;
use crate::page_map;
use crate::reserve;
use crate::superslab;

/// Whoever holds it gives back what is too much; the others go on: nobody waits for the kernel twice, nor pays for what another frees.
pub(super) static TURN: Mutex<()> = Mutex::new(());

/// Purges until `want` bytes went: slots of the pool, cached ranges, then pages inside spans. Returns the bytes, and how
/// many of them any class could have used.
pub(super) fn shed(want: usize) -> (usize, usize) {
    let general = shed_general(want);
    let mut given = general;
    if given < want {
        if let Current::Heap(heap) = heap::current() {
            given += heap.purge(want - given);
        }
    }
    if given < want {
        heap::each_heap(|heap| {
            if given < want {
                given += heap.purge(want - given);
            }
        });
    }
    (given, general)
}

/// Of slots of the pool, then of cached ranges. Returns the bytes.
pub(super) fn shed_general(want: usize) -> usize {
    let given = superslab::purge(want.min(superslab::dirty_bytes() as usize));
    if given < want { given + shed_large(want - given) } else { given }
}

/// Of what waits for the next large block. Returns the bytes.
pub(super) fn shed_large(want: usize) -> usize {
    let given = large::purge(want);
    if given < want { given + hardened::purge(want - given) } else { given }
}

/// Gives everything idle back to the kernel, of busy heaps too with `wait`; with `unmap` the addresses of what is wholly unused as well.
pub(crate) fn give_back(wait: bool, unmap: bool) -> usize {
    COUNTS.all.add(1);
    let mut given = 0;
    heap::cool_all();
    // All batches first: what waits for one heap may lie in any other's.
    heap::each_heap(|heap| heap.collect(true));
    heap::take_in_all(wait);
    heap::each_heap(|heap| given += heap.trim(wait));
    given += reserve::purge() + superslab::purge(usize::MAX) + large::purge(usize::MAX) + hardened::purge(usize::MAX);
    if unmap {
        regret::forget_all();
        superslab::unmap_cached();
        hardened::unmap_closed();
    }
    // Last, for what went is no longer entered.
    given + page_map::purge()
}
