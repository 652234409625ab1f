//! Heaps that nobody has: what arenas are made of, and leave.
#![forbid(unsafe_code)]

use super::registry::REGISTRY;
use super::state::Heap;
use crate::config;

/// Spare heaps that rest, with `HAKMEM_HARDENED`: 1 MiB of addresses, of which the pages with magazines were touched.
const RESTING: usize = 32;

/// A heap that no thread has or gets, empty. `None`: out of memory.
pub(super) fn take_spare() -> Option<&'static Heap> {
    let mut registry = REGISTRY.lock();
    match registry.spare {
        Some(heap) if registry.spares > resting() => {
            registry.spare = heap.links.behind.take();
            registry.spares -= 1;
            Some(heap)
        }
        _ => registry.make(),
    }
}

/// Takes back what `take_spare` gave, empty: the next one to be given, for its lines are warm; the last one while some are to rest.
pub(super) fn put_spare(heap: &'static Heap) {
    let mut registry = REGISTRY.lock();
    let last = registry.last_spare.filter(|_| registry.spare.is_some());
    registry.spares += 1;
    match last {
        Some(last) if resting() > 0 => {
            last.links.behind.set(Some(heap));
            heap.links.behind.set(None);
            registry.last_spare = Some(heap);
        }
        _ => {
            registry.last_spare = last.or(Some(heap));
            heap.links.behind.set(registry.spare.replace(heap));
        }
    }
}

/// How many spare heaps are to stay so, in the order in which they became it: a handle to what one was is known to be stale so long.
fn resting() -> usize {
    if config::get::hardened() == config::hardened::OFF { 0 } else { RESTING }
}
