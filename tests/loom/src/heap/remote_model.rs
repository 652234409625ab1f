//! T-REMOTE: blocks that go from heap to heap, with whoever takes them over on their way, and spans that change hands meanwhile.

use std::sync::{Mutex, MutexGuard};

use loom::thread;

use super::state::{Heap, OwnHeap, make};
use super::{inherit, node_pool, recall, registry, remote};
use crate::base::addr::Addr;
use crate::base::sync::Ordering;
use crate::class::{BIN_STRIDE, ClassId};
use crate::config;
use crate::models::check;
use crate::span;

/// The node pool, offers and notes are core's atomics, which all tests share.
static ALONE: Mutex<()> = Mutex::new(());

pub(super) fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The class of most blocks, and one of which a block fills an inbox.
pub(super) fn small() -> ClassId {
    ClassId::of(64).unwrap()
}

fn huge() -> ClassId {
    ClassId::of(2 << 20).unwrap()
}

impl Heap {
    /// What was there from the start is there before the threads are (see base/sync.rs).
    pub(super) fn touch(&self) {
        for open in &self.outbox.open {
            open.key.load(Ordering::Relaxed);
            open.node.load(Ordering::Relaxed);
            open.turn.load(Ordering::Relaxed);
        }
        self.outbox.return_share();
        self.inbox.batches.is_empty();
        self.inbox_bytes();
        recall::next_turn();
    }
}

/// A heap with so many spans, whose blocks are held, and the blocks.
fn owner(spans: usize) -> (&'static Heap, Vec<Addr>) {
    let heap = make();
    let mut core = heap.core.lock();
    let of_class = &mut core.spans[small().index()];
    let blocks = (0..spans).map(|_| span::make(heap.addr(), of_class)).collect();
    drop(core);
    (heap, blocks)
}

/// The same of a heap that its thread has left.
fn orphan(spans: usize) -> (&'static Heap, Vec<Addr>) {
    let (heap, blocks) = owner(spans);
    registry::REGISTRY.lock().push_orphan(heap);
    inherit::offer(&heap.look().core);
    (heap, blocks)
}

fn prepare(nodes: i64) {
    config::set(0, 0);
    assert!(node_pool::take().is_none());
    config::set(nodes, 0);
}

/// Frees blocks as the thread of `heap`, whose blocks they are not.
fn free(heap: &'static Heap, owner: &Heap, blocks: &[Addr]) {
    for &block in blocks {
        span::hold(block);
        // As `front` does: what finds an open batch is put there at once.
        let offset = (owner.addr().0 | small().index() * BIN_STRIDE) ^ heap.addr().0;
        if !remote::add_remote(heap.addr().as_ptr(), offset, block) {
            OwnHeap(heap).free_remote(owner.addr(), small(), block);
        }
    }
}

/// The same in a thread of its own, which then sends what it has.
fn freed_and_sent(heap: &'static Heap, owner: &'static Heap, blocks: Vec<Addr>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        free(heap, owner, &blocks);
        OwnHeap(heap).send_all();
    })
}

/// A sender whose owner looks in meanwhile: each block comes home once, with all that was done to it before.
pub fn remote_blocks_come_home_once() {
    let _alone = alone();
    check(2, 0, || {
        prepare(64);
        let ((owner, blocks), sender) = (owner(2), make());
        let other = freed_and_sent(sender, owner, blocks);
        drop(owner.enter());
        other.join().unwrap();
        drop(owner.enter());
        assert!(span::all_home());
    });
}

/// Somebody takes over what waits in an open batch, and the sender goes on with it and sends it.
pub fn remote_what_waits_is_taken_over_once() {
    let _alone = alone();
    check(2, 0, || {
        prepare(64);
        let ((owner, blocks), sender) = (owner(2), make());
        // The sender is this one: that somebody comes between is one switch so, not two.
        let other = thread::spawn(move || sender.collect(true));
        free(sender, owner, &blocks);
        OwnHeap(sender).send_all();
        // Before who takes over is done, which comes late then.
        drop(owner.enter());
        other.join().unwrap();
        assert!(span::all_home());
    });
}

/// The owner calls in what waits for it, before it takes fresh memory.
pub fn remote_what_waits_is_called_in() {
    let _alone = alone();
    check(2, 0, || {
        prepare(64);
        let ((owner, blocks), sender) = (owner(2), make());
        let other = thread::spawn(move || {
            let mut core = owner.enter();
            core.recall();
        });
        free(sender, owner, &blocks);
        other.join().unwrap();
        // That something waits is a hint, which may come late: what it did not find somebody else takes over.
        sender.collect(true);
        drop(owner.enter());
        assert!(span::all_home());
    });
}

/// A span goes to another heap while blocks of it are on their way to the old one.
pub fn remote_a_block_finds_the_span_that_moved() {
    let _alone = alone();
    check(2, 0, || {
        prepare(64);
        let ((orphan, blocks), heir, sender) = (orphan(2), make(), make());
        let other = freed_and_sent(sender, orphan, blocks);
        let mut core = heir.enter();
        core.inherit(small());
        drop(core);
        other.join().unwrap();
        inherit::take_in_all(true);
        assert!(span::all_home());
    });
}

/// Two spans go to two heaps: each block of one batch finds its own.
pub fn remote_blocks_find_two_spans_that_moved() {
    let _alone = alone();
    check(2, 0, || {
        prepare(64);
        let ((orphan, blocks), heirs, sender) = (orphan(2), [make(), make()], make());
        let other = freed_and_sent(sender, orphan, blocks);
        // All locked, so that the second does not take what the first took.
        let mut cores = heirs.map(Heap::look);
        cores.iter_mut().for_each(|core| assert!(core.inherit(small())));
        drop(cores);
        other.join().unwrap();
        inherit::take_in_all(true);
        assert!(span::all_home());
    });
}

/// The same where no node is left for what is astray: all of the batch goes on.
pub fn remote_without_a_node_a_batch_goes_on_whole() {
    let _alone = alone();
    check(2, 0, || {
        prepare(64);
        let ((orphan, blocks), heir, sender) = (orphan(2), make(), make());
        free(sender, orphan, &blocks);
        let mut spare = Vec::new();
        spare.extend(core::iter::from_fn(node_pool::take));
        OwnHeap(sender).send_all();
        // What was sent is only taken in once the span has moved.
        let mut core = heir.look();
        core.inherit(small());
        drop(core);
        inherit::take_in_all(true);
        assert!(span::all_home());
        spare.into_iter().for_each(node_pool::give);
    });
}

/// Without a node a block goes to its owner's spans at once, also to those that are no longer his.
pub fn remote_without_a_node_a_block_goes_home_at_once() {
    let _alone = alone();
    check(2, 0, || {
        prepare(0);
        let ((orphan, blocks), heir, sender) = (orphan(2), make(), make());
        let other = thread::spawn(move || free(sender, orphan, &blocks));
        let mut core = heir.enter();
        core.inherit(small());
        drop(core);
        other.join().unwrap();
        assert!(span::all_home());
    });
}

/// An owner that sleeps: who fills its inbox empties it, and begins a new batch then.
pub fn remote_a_full_inbox_is_emptied_by_its_sender() {
    let _alone = alone();
    check(2, 0, || {
        prepare(64);
        let ((owner, blocks), sender) = (owner(2), make());
        for &block in &blocks {
            span::hold(block);
            OwnHeap(sender).free_remote(owner.addr(), huge(), block);
        }
        assert!(span::all_home());
    });
}
