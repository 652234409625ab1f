//! A child of fork: what becomes of the heaps of threads that are not there.

use super::metered;
use super::registry::REGISTRY;
use super::state::OwnHeap;
use crate::base::addr::Addr;
use crate::class::ClassId;
use crate::os;

/// In a child of fork the other threads are gone: their heaps become orphans. What was in their magazines and open
/// batches is given up: fork may have copied those in the middle of a change. Nobody else is inside of anything.
///
/// Only heaps that were in use are looked at: a page that is written to has to be copied first.
pub(crate) fn orphan_the_lost() {
    let mine = Addr::of(metered::plain(os::tls::get()));
    let mut registry = REGISTRY.lock();
    metered::words_are_of_this_process();
    let mut at = registry.used;
    while let Some(heap) = at {
        at = heap.links.behind.get();
        if heap.addr() == mine {
            if heap.links.unheard.get().is_some() {
                registry.note_unheard(heap);
            }
            continue;
        }
        registry.forget_unheard(heap);
        // SAFETY: its thread is not there, and nobody else is, to adopt it.
        let lost = unsafe { OwnHeap::of(heap) };
        for class in ClassId::all() {
            lost.bin(class).close(false);
        }
        lost.forget_lent();
        lost.capacities().reset();
        lost.is_low().set(false);
        heap.outbox.forget();
        lost.baseline().set(Addr::NULL);
        lost.hardened().set(Addr::NULL);
        heap.links.word.forget();
        // Not in the order of locks: there is nobody else.
        lost.leave_seats();
        registry.unlink(heap);
        registry.push_orphan(heap);
    }
}
