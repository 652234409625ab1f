//! T-REMOTE: frees of other heaps' blocks. They gather in a batch for each destination and are sent with one CAS to the
//! owner's inbox; the owner takes them in when it refills, or a sender does it through the owner's lock when the inbox
//! got long, for the owner may sleep.
//!
//! So may the sender. What waits in open batches is bounded (`outbox.rs`), and anybody may take it over (`recall.rs`).

use core::mem::offset_of;
use core::sync::atomic::AtomicBool;

use super::behind::Locked;
use super::flush::misuse;
use super::node::{BATCH, BATCH_BYTES, Node};
use super::outbox::{OPEN, Open, Outbox};
use super::state::{self, Heap, OwnHeap};
use super::strays::Strays;
use super::{inherit, light, metered, node_pool};
use crate::base::addr::{self, Addr};
use crate::base::sync::{AtomicU32, Ordering, settled};
use crate::class::{self, BIN_STRIDE, CLASSES, ClassId};
use crate::os::{self, Misuse};
use crate::page_map::Tag;
use crate::span::Stop;
use crate::stats::counter::Counter;
use crate::stats::event::Event;

/// An inbox with more bytes than this is drained by its sender.
const INBOX_BYTES: usize = 1 << 20;

/// A clock that guides and publishes nothing: all its uses are Relaxed.
pub(super) static TURN: AtomicU32 = AtomicU32::new(0);

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

/// Times a free found no node.
pub(crate) fn ran_dry() -> &'static Counter {
    &node_pool::RAN_DRY
}

/// Puts `block` into the batch that is open for its owner, if it need not be sent for that: plain stores into what is the calling thread's, so it
/// takes no lock and needs no gate. A fork drops the open batches of threads that the child does not have. `false`: nothing was done. HOT.
///
/// `word` is the thread's TLS word, `offset` the block's tag xor'ed with it, as the hot table says, or anything where that shows nothing.
#[inline(always)]
pub(crate) fn add_remote(word: *mut u8, offset: usize, block: Addr) -> bool {
    if !metered::is_plain(word) {
        return false;
    }
    let Some(room) = room(word, offset) else { return false };
    // SAFETY: bytes were left, so a batch is open (O1), and its node ours until it is sent; others look at `blocks` only.
    if !unsafe { &(*room.node()).blocks }.push_but_last(block) {
        return false;
    }
    room.open.left.set(room.left);
    true
}

/// Room for one more block in a batch that is open: what is left there behind it.
pub(crate) struct Room {
    open: &'static Open,
    left: u32,
    /// Of the block.
    pub(crate) class: ClassId,
    /// Of its class.
    pub(crate) bytes: usize,
}

/// Room for a block as `add_remote` would take it, for who has to know before he touches it. `word` is `plain`.
#[inline(always)]
pub(crate) fn room_remote(word: *mut u8, offset: usize) -> Option<Room> {
    // SAFETY: as in `add_remote`.
    room(word, offset).filter(|room| unsafe { &(*room.node()).blocks }.has_room_but_last())
}

#[inline(always)]
fn room(word: *mut u8, offset: usize) -> Option<Room> {
    // SAFETY: it is a heap, or zeroes that reach as far (see below), in which no batch is open.
    let open = unsafe { Outbox::place(&raw const (*word.cast::<Heap>()).outbox, offset) };
    let bin = open.key.load(Ordering::Relaxed) ^ offset;
    if bin >= CLASSES * BIN_STRIDE {
        return None;
    }
    let bytes = class::block_size_at(bin);
    let left = open.left.get().checked_sub(bytes as u32)?;
    Some(Room { open, left, class: ClassId::from_index(bin / BIN_STRIDE), bytes })
}

impl Room {
    #[inline(always)]
    fn node(&self) -> *mut Node {
        // Relaxed: our own.
        self.open.node.load(Ordering::Relaxed)
    }

    /// Puts `block` there. The thread has freed nothing else since.
    #[inline(always)]
    pub(crate) fn put(self, block: Addr) {
        // SAFETY: as in `add_remote`.
        unsafe { &(*self.node()).blocks }.push_but_last(block);
        self.open.left.set(self.left);
    }
}

/// `add_remote` by a thread whose word, `plain`, is `own`, of a block whose tag is `tag`, once more than what is left in the batch may wait there.
pub(crate) fn add_remote_slow(own: *mut u8, tag: Tag, block: Addr) -> bool {
    let between = own.addr() ^ tag.0 as usize;
    // SAFETY: a heap, or zeroes that reach as far.
    let outbox = unsafe { &raw const (*own.cast::<Heap>()).outbox };
    // SAFETY: as above.
    let open = unsafe { Outbox::place(outbox, between) };
    let key = open.key.load(Ordering::Relaxed);
    if key != 0 && key ^ between < CLASSES * BIN_STRIDE {
        // SAFETY: a batch is open, so it is a heap, the calling thread's.
        let outbox = unsafe { &*outbox };
        // SAFETY: the batch's node is ours until it is sent; others look at `blocks` only.
        let node = unsafe { &*open.node.load(Ordering::Relaxed) };
        outbox.reserve(open, node, class::block_size_at(tag.class_index() * BIN_STRIDE));
    }
    add_remote(own, between, block)
}

impl Heap {
    /// The only place where a batch for the heap at `owner` may be open.
    pub(super) fn open_for(&self, owner: Addr) -> &Open {
        // SAFETY: a heap's.
        unsafe { Outbox::place(&self.outbox, owner.0 ^ self.addr().0) }
    }
}

impl OwnHeap {
    /// Frees `block` of `class`, which belongs to the heap at `owner`. `false`: it only waits in a batch.
    #[inline]
    pub(crate) fn free_remote(self, owner: Addr, class: ClassId, block: Addr) -> bool {
        let open = self.open_for(owner);
        // Relaxed: our own.
        let mut node = open.node.load(Ordering::Relaxed);
        if node.is_null() || open.owner.get() != owner {
            self.send(open);
            let Some(fresh) = node_pool::take() else {
                // SAFETY: `owner` is a tag's (caller).
                unsafe { state::at(owner) }.free_direct(block);
                return true;
            };
            node = fresh;
            // SAFETY: fresh, so ours.
            unsafe { &(*node).bytes }.set(0);
            // SAFETY: as above.
            unsafe { &(*node).blocks }.open(owner);
            open.owner.set(owner);
            // Relaxed: a guide.
            open.turn.store(TURN.load(Ordering::Relaxed), Ordering::Relaxed);
            // Release pairs with the Acquire in `recall.rs`: the node's chunk is there, for whoever finds it.
            open.node.store(node, Ordering::Release);
            // SAFETY: `owner` is a tag's (caller).
            unsafe { state::at(owner) }.await_batch();
        }
        // SAFETY: the open batch's node is ours until sent; others look at `blocks` only.
        let batch = unsafe { &*node };
        let size = class.block_size();
        self.outbox.charge(open, batch, size);
        let len = batch.blocks.push(block);
        if len >= BATCH || batch.bytes.get() >= BATCH_BYTES {
            self.events.count(class.index(), Event::RemoteSent, len as u64);
            self.events.count(class.index(), Event::RemoteSend, 1);
            self.send(open);
            return true;
        }
        if !self.outbox.is_within() {
            self.send_all();
            return true;
        }
        self.outbox.reserve(open, batch, size);
        open.key.store(owner.0 ^ self.addr().0, Ordering::Relaxed);
        false
    }

    /// Sends every open batch, full or not.
    pub(super) fn send_all(self) {
        for open in &self.outbox.open {
            self.send(open);
        }
        self.outbox.return_share();
    }

    fn send(self, open: &Open) {
        // Relaxed: our own.
        let node = open.node.load(Ordering::Relaxed);
        if node.is_null() {
            return;
        }
        // SAFETY: the node is still ours.
        let batch = unsafe { &*node };
        let bytes = self.outbox.settle(open, batch);
        open.clear();
        if !batch.blocks.close() {
            return node_pool::give(node);
        }
        // Relaxed: see `was_sent`. Mostly it says so already: no store, and the line stays shared.
        if !SENT.load(Ordering::Relaxed) {
            SENT.store(true, Ordering::Relaxed);
        }
        // SAFETY: an open batch's owner is a tag's.
        let owner = unsafe { state::at(open.owner.get()) };
        // SAFETY: the node is ours; from here on it is the inbox's.
        unsafe { owner.inbox.batches.push(node) };
        // Relaxed: a hint; the batches themselves are published by the push.
        if owner.inbox.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > INBOX_BYTES {
            owner.drain_for_owner();
        }
    }
}

impl Heap {
    /// A sender's part when the owner is slow. If the lock is taken somebody is in there, who drains or soon will.
    #[cold]
    fn drain_for_owner(&self) {
        drop(self.try_enter());
    }

    /// Bytes that others have sent and nobody took in yet, about.
    pub(crate) fn inbox_bytes(&self) -> u64 {
        // Relaxed: a hint, see `drain`; what wrapped is about nothing.
        (self.inbox.bytes.load(Ordering::Relaxed) as isize).max(0) as u64
    }
}

impl Locked<'_> {
    /// Takes in all that others have sent.
    pub(super) fn drain(&mut self) -> Result<(), Misuse> {
        let inbox = &self.heap.inbox;
        let mut node = inbox.batches.take_all();
        if node.is_null() {
            return Ok(());
        }
        // Relaxed: a hint. A sender between its push and its add makes the count wrap for a moment at worst to a
        // large number, and then it drains once more for nothing.
        inbox.bytes.store(0, Ordering::Relaxed);
        let mut strays = Strays::new();
        while !node.is_null() {
            // SAFETY: `take_all` made the nodes ours, but for looks at `blocks`.
            let batch = unsafe { &*node };
            // Relaxed: `take_all` acquired it.
            let next = batch.next.load(Ordering::Relaxed);
            loop {
                // SAFETY: late takers read them, and nobody writes them before the node is given back.
                let blocks = addr::slice(unsafe { settled(batch.blocks.rest()) });
                let (done, owner) = match self.flush(blocks) {
                    Ok(()) => {
                        self.core.note_returned(blocks.len());
                        break node_pool::give(node);
                    }
                    Err(Stop::Astray { done, owner }) => (done, owner),
                    // The rest is given up: the process ends.
                    Err(stop) => return Err(misuse(stop, blocks)),
                };
                batch.blocks.skip(done);
                if !blocks.get(done).is_some_and(|&block| strays.add(owner, block)) {
                    // All that is left goes to that owner, who passes on in turn what is not his.
                    inherit::note_passed();
                    // SAFETY: a tag's owner; the node is ours.
                    unsafe { state::at(owner).inbox.batches.push(node) };
                    break;
                }
                batch.blocks.skip(1);
            }
            node = next;
        }
        strays.send();
        Ok(())
    }
}

const _: () = assert!(
    light::REACH + offset_of!(Heap, outbox) + offset_of!(Outbox, open) + size_of::<[Open; OPEN]>()
        <= size_of::<os::tls::Zeroes>(),
    "a thread without a heap reads zeroes as its open batches"
);
