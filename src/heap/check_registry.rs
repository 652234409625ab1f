//! Feature `paranoid`: the walker over the registry.
#![forbid(unsafe_code)]

use super::list;
use super::registry::REGISTRY;
use super::state::Heap;
use super::warm;
use crate::base::addr::Addr;
use crate::os;

/// R1 and R2. Any thread.
pub(crate) fn check_registry() {
    let registry = REGISTRY.lock();
    let (mut heaps, mut marked, mut stacked) = (0_usize, 0_usize, 0);
    list::each_heap(|heap| {
        heaps += 1;
        marked += heap.is_orphan() as usize;
    });
    let mut at = registry.orphans;
    while let Some(heap) = at.filter(|_| stacked <= heaps) {
        os::require(heap.is_orphan(), "R1: a heap on the stack is no orphan", heap.addr());
        stacked += 1;
        at = heap.links.behind.get();
    }
    os::require(stacked == marked, "R1: orphans and their stack", Addr(stacked));
    let (mut at, mut waiting) = (registry.warm, 0);
    while let Some(heap) = at.filter(|_| waiting <= heaps) {
        os::require(!heap.is_orphan(), "R4: a heap that waits is an orphan", heap.addr());
        waiting += 1;
        at = heap.links.behind.get();
    }
    os::require(waiting == warm::waiting(), "R4: heaps that wait", Addr(waiting));
    let (mut at, mut last, mut used) = (registry.used, None, 0);
    while let Some(heap) = at.filter(|_| used <= heaps) {
        let before = heap.links.before.get().map(Heap::addr);
        os::require(before == last && !heap.is_orphan(), "R2: a heap in use and the one before it", heap.addr());
        used += 1;
        (at, last) = (heap.links.behind.get(), Some(heap.addr()));
    }
    os::require(stacked + waiting + used <= heaps, "R2: heaps in use", Addr(used));
}
