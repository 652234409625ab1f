//! What waits in open batches, taken over without those who filled them, for they may sleep: old ones by decay, all by a trim, and by their owner
//! before it takes fresh memory.

use super::behind::Locked;
use super::node::Node;
use super::outbox::Open;
use super::remote::TURN;
use super::state::{self, Heap};
use super::{list, node_pool};
use crate::base::addr::Addr;
use crate::base::sync::Ordering;

/// Turns of `next_turn` after which a batch that is still open is old.
const OLD: u32 = 2;
/// Heaps that one `recall` looks at, with two reads each of what others write: some microseconds, where the span that it may spare takes a dozen
/// page faults.
const LOOKS: u32 = 64;
/// Blocks moved at a time: this may be a thread with a small stack.
const FEW: usize = 16;

/// Counts the time by which `collect` tells what is old. Any thread.
pub(crate) fn next_turn() {
    TURN.fetch_add(1, Ordering::Relaxed);
}

impl Locked<'_> {
    /// Moves what waits for this heap in open batches to its inbox, as far as it is found in a bounded time. Says whether there was any.
    #[cold]
    #[inline(never)]
    pub(super) fn recall(&mut self) -> bool {
        let Locked { heap: own, core } = self;
        let mut at = core.hand;
        if at.is_none() {
            // A round begins: what it does not find was not there, or says so again.
            if !own.inbox.awaited.load(Ordering::Relaxed) {
                return false;
            }
            at = list::newest();
            own.inbox.awaited.store(false, Ordering::Relaxed);
        }
        let mut any = false;
        for _ in 0..LOOKS {
            let Some(heap) = at else { break };
            any |= own.recall_from(heap);
            at = heap.next();
        }
        core.hand = at;
        any
    }
}

impl Heap {
    /// Takes over what waits in this heap's open batches, old ones or, with `all`, any, and gives it back to its spans. Any thread
    /// that holds no heap's lock.
    pub(crate) fn collect(&self, all: bool) {
        let mut left = false;
        for open in &self.outbox.open {
            // Acquire pairs with the Release in `free_remote`.
            let node = open.node.load(Ordering::Acquire);
            if node.is_null() {
                continue;
            }
            // Relaxed, both: a clock; of a batch opened just now it may be the age of the one before, and then it goes early.
            let age = TURN.load(Ordering::Relaxed).wrapping_sub(open.turn.load(Ordering::Relaxed));
            if !all && age < OLD {
                left = true;
                continue;
            }
            let mut blocks = [Addr::NULL; FEW];
            // SAFETY: nodes are never unmapped, and `take` may be called whatever became of this one.
            while let Some((to, len)) = unsafe { &(*node).blocks }.take(&mut blocks) {
                // SAFETY: a batch is for a tag's owner.
                unsafe { state::at(to) }.free_all(blocks.get(..len).unwrap_or_default());
            }
        }
        if !left {
            self.outbox.open.iter().for_each(Open::revoke);
            self.outbox.return_share();
        }
    }

    /// Notes that a batch was opened for this heap. Any thread, once the batch can be found.
    pub(super) fn await_batch(&self) {
        // Relaxed, here and in `recall`: a hint. Mostly it says so already: no store, and the line stays shared.
        if !self.inbox.awaited.load(Ordering::Relaxed) {
            self.inbox.awaited.store(true, Ordering::Relaxed);
        }
    }

    /// What `heap` has gathered for this one.
    fn recall_from(&self, heap: &Heap) -> bool {
        // Acquire pairs with the Release in `free_remote`.
        let node = heap.open_for(self.addr()).node.load(Ordering::Acquire);
        if node.is_null() {
            return false;
        }
        // SAFETY: nodes are never unmapped, and others may look at `blocks` whatever became of this one.
        let waiting = unsafe { &(*node).blocks };
        if !waiting.is_for(self.addr()) {
            return false;
        }
        // More may come.
        self.await_batch();
        let (mut any, mut blocks) = (false, [Addr::NULL; FEW]);
        // Before they are taken: else there might be nowhere to put them, for this heap's lock is held.
        while let Some(carrier) = node_pool::take() {
            let Some((to, len)) = waiting.take(&mut blocks) else {
                node_pool::give(carrier);
                break;
            };
            // SAFETY: a batch is for a tag's owner, by now perhaps another one; the node is ours.
            unsafe { state::at(to).post(carrier, blocks.get(..len).unwrap_or_default()) };
            any = true;
        }
        any
    }

    /// Puts `blocks` of this heap into its inbox.
    ///
    /// # Safety
    /// The node is the caller's, and no more.
    unsafe fn post(&self, node: *mut Node, blocks: &[Addr]) {
        // SAFETY: the caller's.
        let batch = unsafe { &(*node).blocks };
        batch.open(self.addr());
        for &block in blocks {
            batch.push(block);
        }
        batch.close();
        // SAFETY: the caller's; from here on it is the inbox's.
        unsafe { self.inbox.batches.push(node) };
    }
}
