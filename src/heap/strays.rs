//! Blocks that were sent to a heap whose they are no longer, for their span has moved meanwhile: sorted by owner they go on, each once. A batch
//! that is passed on whole comes home a few blocks at each heap, and orphans look into their inboxes seldom.

use core::iter;
use core::ptr::null_mut;

use super::node::{BATCH, Node};
use super::{inherit, node_pool, state};
use crate::base::addr::Addr;
use crate::base::sync::Ordering;

/// Batches being filled, linked by `next`, the newest first: one word, for it lies on the stack below a flush. Its nodes are ours.
pub(super) struct Strays(*mut Node);

impl Strays {
    pub(super) fn new() -> Strays {
        Strays(null_mut())
    }

    /// Takes `block` along to `owner`, a tag's. `false`: there is no node for it.
    #[cold]
    #[inline(never)]
    pub(super) fn add(&mut self, owner: Addr, block: Addr) -> bool {
        let fits = |node: &&Node| node.blocks.is_for(owner) && node.blocks.len() < BATCH;
        if let Some(node) = self.nodes().find(fits) {
            node.blocks.push(block);
            return true;
        }
        let Some(fresh) = node_pool::take() else { return false };
        // SAFETY: fresh, so ours until it is sent; others look at `blocks` only.
        let node = unsafe { &*fresh };
        // Relaxed: ours.
        node.next.store(self.0, Ordering::Relaxed);
        self.0 = fresh;
        node.blocks.open(owner);
        node.blocks.push(block);
        true
    }

    fn nodes(&self) -> impl Iterator<Item = &Node> {
        // SAFETY: null, or ours as above.
        let first = unsafe { self.0.as_ref() };
        // SAFETY: likewise. Relaxed: ours.
        iter::successors(first, |node| unsafe { node.next.load(Ordering::Relaxed).as_ref() })
    }

    /// Sends them all on.
    #[inline]
    pub(super) fn send(self) {
        if !self.0.is_null() {
            self.send_each();
        }
    }

    #[cold]
    #[inline(never)]
    fn send_each(self) {
        let mut at = self.0;
        // SAFETY: as in `nodes`; it is not looked at again once it was sent.
        while let Some(node) = unsafe { at.as_ref() } {
            let (owner, next) = (node.blocks.to(), node.next.load(Ordering::Relaxed));
            inherit::note_passed();
            match node.blocks.close() {
                // SAFETY: a tag's owner; from here on the node is the inbox's.
                true => unsafe { state::at(owner).inbox.batches.push(at) },
                // Who came late to what the node was before has taken them.
                false => node_pool::give(at),
            }
            at = next;
        }
    }
}
