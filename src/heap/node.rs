//! A batch: blocks on their way from one heap to another, and what carries them.

use core::cell::Cell;
use core::mem::offset_of;

use crate::base::batch_stack;
use crate::base::layout;
use crate::base::open_batch::OpenBatch;
use crate::base::sync::{AtomicPtr, AtomicU32};

/// Blocks of one batch: a node is 512 bytes.
pub(super) const BATCH: usize = 58;
/// A batch is also sent when its blocks come to this many bytes.
pub(super) const BATCH_BYTES: usize = 128 << 10;
/// A batch. Its fields belong to whoever owns the node: the pool, a sender, an inbox, a drainer, in turn.
#[repr(C)]
pub(crate) struct Node {
    pub(super) next: AtomicPtr<Node>,
    /// The pool's link while the node is spare.
    pub(super) link: AtomicU32,
    pub(super) index: u32,
    /// Bytes that may wait in it, while it is open. Its sender's.
    pub(super) bytes: Cell<usize>,
    /// All threads may look into it at any time.
    pub(super) blocks: OpenBatch<BATCH>,
}

pub(crate) const NODE_LAYOUT: layout::Node = layout::Node {
    next: offset_of!(Node, next),
    word: offset_of!(Node, blocks) + OpenBatch::<BATCH>::WORD,
    len: offset_of!(Node, blocks) + OpenBatch::<BATCH>::LEN,
    blocks: offset_of!(Node, blocks) + OpenBatch::<BATCH>::ENTRIES,
    size: size_of::<Node>(),
};

// SAFETY: `next` is written only by the stack while the node is on it.
unsafe impl batch_stack::Node for Node {
    fn next(&self) -> &AtomicPtr<Node> {
        &self.next
    }
}

const _: () = assert!(size_of::<Node>() == 512, "32 nodes to a chunk; docs/ARCHITECTURE.md, section 5");
