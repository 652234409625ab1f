//! T-REMOTE: frees of other heaps' blocks. They gather in a batch for each destination and are sent with one CAS to the
//! owner's inbox; the owner takes them in when it refills, or a sender does it through the owner's lock when the inbox
//! got long, for the owner may sleep.

use core::cell::Cell;
use core::sync::atomic::AtomicBool;

use super::{Core, ThreadHeap, node_pool};
use crate::base::addr::Addr;
use crate::base::batch_stack::{self, BatchStack};
use crate::base::sync::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use crate::class::ClassId;
use crate::os::Misuse;
use crate::stats::counter::Counter;
use crate::stats::event::Event;

/// Blocks of one batch: a node is 512 bytes.
const BATCH: usize = 60;
/// A batch is also sent when its blocks come to this many bytes.
const BATCH_BYTES: usize = 128 << 10;
/// Destinations with an open batch at a time.
const OPEN: usize = 16;
/// An inbox with more bytes than this is drained by its sender.
const INBOX_BYTES: usize = 1 << 20;

/// Whether a batch was sent since somebody looked: it may lie in the inbox of a heap that sleeps. Not loom's: no model asks for it.
static SENT: AtomicBool = AtomicBool::new(false);

/// Whether a batch was sent since `forget_sent`. Any thread.
pub(crate) fn was_sent() -> bool {
    // Relaxed, here and below: a note; what lies in an inbox is published by its push.
    SENT.load(Ordering::Relaxed)
}

pub(crate) fn forget_sent() {
    SENT.store(false, Ordering::Relaxed);
}

/// A batch. Its fields belong to whoever owns the node: the pool, a sender, an inbox, a drainer, in turn.
#[repr(C)]
pub(crate) struct Node {
    next: AtomicPtr<Node>,
    /// The pool's link while the node is spare.
    pub(super) link: AtomicU32,
    pub(super) index: u32,
    len: usize,
    bytes: usize,
    blocks: [Addr; BATCH],
}

// SAFETY: `next` is written only by the stack while the node is on it.
unsafe impl batch_stack::Node for Node {
    fn next(&self) -> &AtomicPtr<Node> {
        &self.next
    }
}

/// One destination's open batch; `node` is null when there is none.
struct Open {
    owner: Cell<Addr>,
    node: Cell<*mut Node>,
}

pub(super) struct Outbox([Open; OPEN]);

/// On lines of its own: every sender writes here.
#[repr(align(64))]
pub(super) struct Inbox {
    batches: BatchStack<Node>,
    /// Bytes on the stack, as far as senders have counted: a hint.
    bytes: AtomicUsize,
}

impl Outbox {
    /// Forgets the open batches: their sender does not exist in a child of fork.
    pub(super) fn forget(&self) {
        for open in &self.0 {
            open.node.set(core::ptr::null_mut());
        }
    }

    fn open_for(&self, owner: Addr) -> &Open {
        // Heaps lie 16 KiB apart in runs of some dozens.
        let index = (owner.0 >> 14 ^ owner.0 >> 18) % OPEN;
        // SAFETY: reduced to the array's length.
        unsafe { self.0.get_unchecked(index) }
    }
}

impl Inbox {
    pub(super) fn new() -> Inbox {
        Inbox { batches: BatchStack::new(), bytes: AtomicUsize::new(0) }
    }
}

/// Times a free found no node.
pub(crate) fn ran_dry() -> &'static Counter {
    &node_pool::RAN_DRY
}

impl ThreadHeap {
    /// Frees `block` of `class`, which belongs to the heap at `owner`. `false`: it only waits in a batch.
    /// The heap's thread only.
    #[inline(always)]
    pub(crate) fn free_remote(&self, owner: Addr, class: ClassId, block: Addr) -> bool {
        let open = self.outbox.open_for(owner);
        let mut node = open.node.get();
        if node.is_null() || open.owner.get() != owner {
            self.send(open);
            let Some(fresh) = node_pool::take() else {
                // SAFETY: `owner` is a tag's (caller).
                unsafe { super::at(owner) }.free_direct(block);
                return true;
            };
            node = fresh;
            open.owner.set(owner);
            open.node.set(node);
        }
        // SAFETY: the open batch's node is ours until sent.
        let batch = unsafe { &mut *node };
        if let Some(slot) = batch.blocks.get_mut(batch.len) {
            *slot = block;
            batch.len += 1;
            batch.bytes += class.block_size();
        }
        let full = batch.len >= BATCH || batch.bytes >= BATCH_BYTES;
        if full {
            self.events.count(class.index(), Event::RemoteSent, batch.len as u64);
            self.events.count(class.index(), Event::RemoteSend, 1);
            self.send(open);
        }
        full
    }

    /// Sends every open batch, full or not. The heap's thread only.
    pub(super) fn send_all(&self) {
        for open in &self.outbox.0 {
            self.send(open);
        }
    }

    fn send(&self, open: &Open) {
        let node = open.node.replace(core::ptr::null_mut());
        if node.is_null() {
            return;
        }
        // Relaxed: see `was_sent`. Mostly it says so already: no store, and the line stays shared.
        if !SENT.load(Ordering::Relaxed) {
            SENT.store(true, Ordering::Relaxed);
        }
        // SAFETY: an open batch's owner is a tag's.
        let owner = unsafe { super::at(open.owner.get()) };
        // SAFETY: the node is still ours.
        let bytes = unsafe { (*node).bytes };
        // SAFETY: as above; from here on it is the inbox's.
        unsafe { owner.inbox.batches.push(node) };
        // Relaxed: a hint; the batches themselves are published by the push.
        if owner.inbox.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > INBOX_BYTES {
            owner.drain_for_owner();
        }
    }

    /// A sender's part when the owner is slow. If the lock is taken somebody is in there, who drains or soon will.
    #[cold]
    fn drain_for_owner(&self) {
        drop(self.try_enter());
    }

    /// Bytes that others have sent and nobody took in yet, about.
    pub(crate) fn inbox_bytes(&self) -> u64 {
        // Relaxed: a hint, see `drain_locked`; what wrapped is about nothing.
        (self.inbox.bytes.load(Ordering::Relaxed) as isize).max(0) as u64
    }

    /// Takes in all that others have sent. Under the lock.
    pub(super) fn drain_locked(&self, core: &mut Core) -> Result<(), Misuse> {
        let mut node = self.inbox.batches.take_all();
        if node.is_null() {
            return Ok(());
        }
        // Relaxed: a hint. A sender between its push and its add makes the count wrap for a moment at worst to a
        // large number, and then it drains once more for nothing.
        self.inbox.bytes.store(0, Ordering::Relaxed);
        while !node.is_null() {
            // SAFETY: `take_all` made the nodes ours.
            let batch = unsafe { &mut *node };
            // Relaxed: `take_all` acquired it.
            let next = batch.next.load(Ordering::Relaxed);
            // On misuse the rest is given up: the process ends.
            self.flush_locked(core, batch.blocks.get(..batch.len).unwrap_or_default())?;
            batch.len = 0;
            batch.bytes = 0;
            node_pool::give(node);
            node = next;
        }
        Ok(())
    }
}

const _: () = assert!(size_of::<Node>() <= 512, "32 nodes to a chunk");
