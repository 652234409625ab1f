//! The registry: which thread gets which heap, and who takes spans over from an orphan meanwhile.

use loom::thread;

use super::check_registry::check_registry;
use super::remote_model::{alone, small};
use super::state::{self, Heap, make};
use super::{inherit, registry};
use crate::base::addr::Addr;
use crate::base::sync::{AtomicPtr, Ordering};
use crate::config;
use crate::models::check;
use crate::span;

/// A thread is born.
fn born() -> &'static Heap {
    let heap = registry::adopt().unwrap();
    heap.use_half();
    heap
}

/// Its heap, once it has ended.
fn lived() -> &'static Heap {
    let heap = born();
    registry::orphan(heap);
    heap
}

/// So many orphans, before there are threads.
fn orphans(count: usize) {
    (0..count).map(|_| born()).collect::<Vec<_>>().into_iter().for_each(registry::orphan);
}

/// Whether so many threads have heaps, and the registry is whole.
fn check_used(count: usize) {
    let mut used = 0;
    registry::each_used(|_| used += 1);
    assert!(used == count, "{used} heaps are in use, of {count} threads");
    check_registry();
}

/// Of two threads that are born at once each gets a heap to itself: an orphan, or a new one.
pub fn registry_an_orphan_is_adopted_by_one() {
    for count in 0..3 {
        check(2, 0, move || {
            orphans(count);
            let other = thread::spawn(born);
            let mine = born();
            let others = other.join().unwrap();
            assert!(!core::ptr::eq(mine, others));
            check_used(2);
        });
    }
}

/// A heap goes from thread to thread, each of which sees what the last one did, and none is lost.
pub fn registry_a_heap_outlives_its_threads() {
    for count in 0..3 {
        check(2, 0, move || {
            orphans(count);
            let other = thread::spawn(|| {
                lived();
                lived();
            });
            lived();
            born();
            other.join().unwrap();
            check_used(1);
        });
    }
}

/// A thread adopts an orphan while another heap takes its span over: the span is the one's or the other's, and stays it for the thread.
pub fn registry_an_orphan_is_adopted_while_it_is_inherited_from() {
    let _alone = alone();
    check(2, 0, || {
        config::set(0, 0);
        let (heir, orphan) = (make(), born());
        let block = span::make(orphan.addr(), &mut orphan.look().spans[small().index()]);
        registry::orphan(orphan);
        inherit::offer(&orphan.look().core);
        let other = thread::spawn(move || {
            heir.enter().inherit(small());
        });
        let heap = born();
        assert!(core::ptr::eq(heap, orphan));
        span::hold(block);
        // As `front` does: what is its own lies in a magazine for a while, and is never astray then.
        match span::owner(block) {
            own if own == heap.addr() => assert!(heap.look().flush(&[block]).is_ok(), "a thread's own block is astray"),
            // SAFETY: a tag's owner.
            owner => unsafe { state::at(owner) }.free_direct(block),
        }
        other.join().unwrap();
        assert!(span::all_home());
        check_used(1);
    });
}

static SHARED: AtomicPtr<Heap> = AtomicPtr::new(core::ptr::null_mut());

fn shared() -> Addr {
    let heap = registry::shared_heap(&SHARED).unwrap();
    heap.inbox_bytes();
    heap.addr()
}

/// The heap of those without one is made once, and whoever finds it finds all of it.
pub fn registry_a_shared_heap_is_made_once() {
    check(2, 0, || {
        SHARED.load(Ordering::Relaxed);
        let other = thread::spawn(shared);
        let mine = shared();
        assert!(mine == other.join().unwrap(), "two were made");
    });
}
