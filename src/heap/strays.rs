//! Blocks that were sent to a heap whose they are no longer, for their span has moved meanwhile: sorted by owner they go on, each once. A batch
//! that is passed on whole comes home a few blocks at each heap, and orphans look into their inboxes seldom.

use super::remote::{BATCH, Node};
use super::{inherit, node_pool};
use crate::base::addr::Addr;

/// Owners that are told apart at a time: those who took spans over from one heap, while a batch was on its way to it.
const OWNERS: usize = 4;

/// Batches being filled, one an owner, at its address. The nodes are ours.
pub(super) struct Strays([Option<(Addr, *mut Node)>; OWNERS]);

impl Strays {
    pub(super) fn new() -> Strays {
        Strays([None; OWNERS])
    }

    /// Takes `block` along to the heap at `owner`, a tag's. `false`: there is no node for it.
    #[cold]
    #[inline(never)]
    pub(super) fn add(&mut self, owner: Addr, block: Addr) -> bool {
        let place = self.0.iter().position(|batch| batch.is_none_or(|(to, _)| to == owner));
        let Some(batch) = self.0.get_mut(place.unwrap_or(0)) else { return false };
        if place.is_none() {
            send(batch.take());
        }
        let node = match *batch {
            Some((_, node)) => node,
            None => {
                let Some(node) = node_pool::take() else { return false };
                // SAFETY: fresh, so ours.
                unsafe { &(*node).blocks }.open(owner);
                *batch = Some((owner, node));
                node
            }
        };
        // SAFETY: ours until it is sent; others look at `blocks` only.
        if unsafe { &(*node).blocks }.push(block) == BATCH {
            send(batch.take());
        }
        true
    }

    /// Sends them all on.
    #[inline(always)]
    pub(super) fn send(self) {
        self.0.into_iter().for_each(send);
    }
}

fn send(batch: Option<(Addr, *mut Node)>) {
    let Some((owner, node)) = batch else { return };
    inherit::note_passed();
    // SAFETY: ours; others look at `blocks` only.
    match unsafe { &(*node).blocks }.close() {
        // SAFETY: a tag's owner; from here on the node is the inbox's.
        true => unsafe { super::at(owner).inbox.batches.push(node) },
        // Who came late to what the node was before has taken them.
        false => node_pool::give(node),
    }
}
