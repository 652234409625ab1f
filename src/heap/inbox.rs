//! Where a heap's blocks come home: what others send lies here until the heap takes it in.
#![forbid(unsafe_code)]

use core::sync::atomic::AtomicBool;

use super::node::Node;
use crate::base::batch_stack::BatchStack;
use crate::base::sync::AtomicUsize;

/// On lines of its own: every sender writes here.
#[repr(align(64))]
pub(super) struct Inbox {
    pub(super) batches: BatchStack<Node>,
    /// Bytes on the stack, as far as senders have counted: a hint.
    pub(super) bytes: AtomicUsize,
    /// Whether somebody has opened a batch for this heap since it last looked for one: a hint too.
    pub(super) awaited: AtomicBool,
}

impl Inbox {
    pub(super) fn new() -> Inbox {
        Inbox { batches: BatchStack::new(), bytes: AtomicUsize::new(0), awaited: AtomicBool::new(false) }
    }
}
