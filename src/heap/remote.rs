//! T-REMOTE: frees of other heaps' blocks. They gather in a batch for each destination and are sent with one CAS to the
//! owner's inbox; the owner takes them in when it refills, or a sender does it through the owner's lock when the inbox
//! got long, for the owner may sleep.
//!
//! So may the sender. What waits in open batches is bounded: a thread may hold `OWN_BYTES`, and beyond that what it draws from a budget of
//! all threads together; without a share it sends what it has. And anybody may take over what waits there: `recall.rs`.

use core::cell::Cell;
use core::mem::offset_of;
use core::sync::atomic::AtomicBool;

use super::{Core, ThreadHeap, light, node_pool};
use crate::base::addr::Addr;
use crate::base::batch_stack::{self, BatchStack};
use crate::base::layout;
use crate::base::open_batch::OpenBatch;
use crate::base::sync::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use crate::class::ClassId;
use crate::os::{self, Misuse};
use crate::span::Stop;
use crate::stats::counter::Counter;
use crate::stats::event::Event;

/// Blocks of one batch: a node is 512 bytes.
const BATCH: usize = 58;
/// A batch is also sent when its blocks come to this many bytes.
const BATCH_BYTES: usize = 128 << 10;
/// Destinations with an open batch at a time.
pub(super) const OPEN: usize = 16;
/// An inbox with more bytes than this is drained by its sender.
const INBOX_BYTES: usize = 1 << 20;

/// Bytes that a thread's open batches may hold without asking.
const OWN_BYTES: usize = 8 << 10;
/// What all threads together may hold beyond that, how much one draws of it at a time, and the most that one may have.
const BUDGET: usize = 1 << 20;
const SHARE: usize = 64 << 10;
const SHARE_MAX: usize = 256 << 10;
/// Bytes drawn from the budget.
static DRAWN: AtomicUsize = AtomicUsize::new(0);
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

/// A batch. Its fields belong to whoever owns the node: the pool, a sender, an inbox, a drainer, in turn.
#[repr(C)]
pub(crate) struct Node {
    next: AtomicPtr<Node>,
    /// The pool's link while the node is spare.
    pub(super) link: AtomicU32,
    pub(super) index: u32,
    bytes: usize,
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

/// One destination's open batch; `node` is null when there is none. Written by the heap's thread.
pub(super) struct Open {
    owner: Cell<Addr>,
    pub(super) node: AtomicPtr<Node>,
    /// `TURN` when it was opened.
    pub(super) turn: AtomicU32,
}

pub(super) struct Outbox {
    pub(super) open: [Open; OPEN],
    /// Bytes in them, as the heap's thread has counted: what others took is still in it.
    bytes: Cell<usize>,
    /// Bytes drawn from the budget. Whoever empties the outbox gives them back.
    share: AtomicUsize,
}

/// On lines of its own: every sender writes here.
#[repr(align(64))]
pub(super) struct Inbox {
    pub(super) batches: BatchStack<Node>,
    /// Bytes on the stack, as far as senders have counted: a hint.
    pub(super) bytes: AtomicUsize,
    /// Whether somebody has opened a batch for this heap since it last looked for one: a hint too.
    pub(super) awaited: AtomicBool,
}

impl Outbox {
    /// Forgets the open batches: their sender does not exist in a child of fork.
    pub(super) fn forget(&self) {
        for open in &self.open {
            // Relaxed: the child has one thread.
            open.node.store(core::ptr::null_mut(), Ordering::Relaxed);
        }
        self.bytes.set(0);
        self.return_share();
    }

    /// The only place where a batch for the heap at `owner` may be open.
    pub(super) fn open_for(&self, owner: Addr) -> &Open {
        // SAFETY: below the array's length.
        unsafe { self.open.get_unchecked(Outbox::place_of(owner)) }
    }

    fn place_of(owner: Addr) -> usize {
        // Heaps lie 16 KiB apart in runs of some dozens.
        (owner.0 >> 14 ^ owner.0 >> 18) % OPEN
    }

    /// Whether no more is held than may be. The heap's thread only.
    #[inline(always)]
    fn is_within(&self) -> bool {
        self.has_room(self.bytes.get()) || self.draw()
    }

    /// Whether `bytes` may be held without drawing.
    #[inline(always)]
    fn has_room(&self, bytes: usize) -> bool {
        // Relaxed: a bound on what is held now, not on what is read.
        bytes <= OWN_BYTES + self.share.load(Ordering::Relaxed)
    }

    /// Draws what is missing from the budget, if it is there.
    #[cold]
    fn draw(&self) -> bool {
        // Relaxed, all: numbers that are added up and compared.
        let share = self.share.load(Ordering::Relaxed);
        let more = self.bytes.get().saturating_sub(OWN_BYTES + share).div_ceil(SHARE) * SHARE;
        let drawn = |drawn: usize| (share + more <= SHARE_MAX && drawn + more <= BUDGET).then_some(drawn + more);
        if DRAWN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, drawn).is_err() {
            return false;
        }
        self.share.fetch_add(more, Ordering::Relaxed);
        true
    }

    pub(super) fn return_share(&self) {
        // Relaxed: as in `draw`.
        if self.share.load(Ordering::Relaxed) > 0 {
            DRAWN.fetch_sub(self.share.swap(0, Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}

impl Inbox {
    pub(super) fn new() -> Inbox {
        Inbox { batches: BatchStack::new(), bytes: AtomicUsize::new(0), awaited: AtomicBool::new(false) }
    }
}

/// Times a free found no node.
pub(crate) fn ran_dry() -> &'static Counter {
    &node_pool::RAN_DRY
}

/// Puts `block`, of `size` bytes, into the batch that is open for the heap at `owner`, if it need not be sent for that: plain stores into what
/// is the calling thread's, so it takes no lock and needs no gate. A fork drops the open batches of threads that the child does not have.
/// `false`: nothing was done. `word` is the thread's TLS word, `plain`.
#[inline(always)]
pub(crate) fn add_remote(word: *mut u8, owner: Addr, size: usize, block: Addr) -> bool {
    let heap = word.cast::<ThreadHeap>();
    // SAFETY: a heap, or zeroes that reach as far (see below), in which no batch is open. The index is below the length.
    let open = unsafe { &*(&raw const (*heap).outbox.open).cast::<Open>().add(Outbox::place_of(owner)) };
    // Relaxed: our own.
    let node = open.node.load(Ordering::Relaxed);
    if node.is_null() || open.owner.get() != owner {
        return false;
    }
    // SAFETY: a batch is open, so it is a heap, the calling thread's.
    let outbox = unsafe { &(*heap).outbox };
    // SAFETY: the open batch's node is ours until sent; others look at `blocks` only.
    let (bytes, held) = (unsafe { (*node).bytes } + size, outbox.bytes.get() + size);
    // SAFETY: as above.
    let blocks = unsafe { &(*node).blocks };
    if bytes >= BATCH_BYTES || !outbox.has_room(held) || !blocks.push_but_last(block) {
        return false;
    }
    // SAFETY: as above.
    unsafe { (*node).bytes = bytes };
    outbox.bytes.set(held);
    true
}

impl ThreadHeap {
    /// Frees `block` of `class`, which belongs to the heap at `owner`. `false`: it only waits in a batch.
    /// The heap's thread only.
    #[inline]
    pub(crate) fn free_remote(&self, owner: Addr, class: ClassId, block: Addr) -> bool {
        let open = self.outbox.open_for(owner);
        // Relaxed: our own.
        let mut node = open.node.load(Ordering::Relaxed);
        if node.is_null() || open.owner.get() != owner {
            self.send(open);
            let Some(fresh) = node_pool::take() else {
                // SAFETY: `owner` is a tag's (caller).
                unsafe { super::at(owner) }.free_direct(block);
                return true;
            };
            node = fresh;
            // SAFETY: fresh, so ours.
            unsafe { (*node).bytes = 0 };
            // SAFETY: as above.
            unsafe { &(*node).blocks }.open(owner);
            open.owner.set(owner);
            // Relaxed: a guide.
            open.turn.store(TURN.load(Ordering::Relaxed), Ordering::Relaxed);
            // Release pairs with the Acquire in `recall.rs`: the node's chunk is there, for whoever finds it.
            open.node.store(node, Ordering::Release);
            // SAFETY: `owner` is a tag's (caller).
            unsafe { super::at(owner) }.await_batch();
        }
        let size = class.block_size();
        // SAFETY: the open batch's node is ours until sent; others look at `blocks` only.
        let bytes = unsafe { (*node).bytes } + size;
        // SAFETY: as above.
        unsafe { (*node).bytes = bytes };
        // SAFETY: as above.
        let len = unsafe { &(*node).blocks }.push(block);
        self.outbox.bytes.set(self.outbox.bytes.get() + size);
        if len >= BATCH || bytes >= BATCH_BYTES {
            self.events.count(class.index(), Event::RemoteSent, len as u64);
            self.events.count(class.index(), Event::RemoteSend, 1);
            self.send(open);
            return true;
        }
        if !self.outbox.is_within() {
            self.send_all();
            return true;
        }
        false
    }

    /// Sends every open batch, full or not. The heap's thread only.
    pub(super) fn send_all(&self) {
        for open in &self.outbox.open {
            self.send(open);
        }
        self.outbox.return_share();
    }

    fn send(&self, open: &Open) {
        // Relaxed, both: our own; that the node is no longer here is the business of its `blocks`.
        let node = open.node.load(Ordering::Relaxed);
        if node.is_null() {
            return;
        }
        open.node.store(core::ptr::null_mut(), Ordering::Relaxed);
        // SAFETY: the node is still ours.
        let bytes = unsafe { (*node).bytes };
        self.outbox.bytes.set(self.outbox.bytes.get() - bytes);
        // SAFETY: as above.
        if !unsafe { &(*node).blocks }.close() {
            return node_pool::give(node);
        }
        // Relaxed: see `was_sent`. Mostly it says so already: no store, and the line stays shared.
        if !SENT.load(Ordering::Relaxed) {
            SENT.store(true, Ordering::Relaxed);
        }
        // SAFETY: an open batch's owner is a tag's.
        let owner = unsafe { super::at(open.owner.get()) };
        // SAFETY: the node is ours; from here on it is the inbox's.
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
            // SAFETY: `take_all` made the nodes ours, but for looks at `blocks`.
            let batch = unsafe { &*node };
            // Relaxed: `take_all` acquired it.
            let next = batch.next.load(Ordering::Relaxed);
            let rest = batch.blocks.rest();
            // SAFETY: the same words; late takers read them, and nobody writes them before the node is given back.
            let blocks = unsafe { core::slice::from_raw_parts(rest.as_ptr().cast::<Addr>(), rest.len()) };
            match self.flush_locked(core, blocks) {
                Ok(()) => node_pool::give(node),
                // The span has moved: on to its owner, who passes on in turn what is not his.
                Err(Stop::Astray { done, owner }) => {
                    batch.blocks.skip(done);
                    super::inherit::note_passed();
                    // SAFETY: a tag's owner; the node is ours.
                    unsafe { super::at(owner).inbox.batches.push(node) };
                }
                // The rest is given up: the process ends.
                Err(stop) => return Err(super::misuse(stop, blocks)),
            }
            node = next;
        }
        Ok(())
    }
}

const _: () = assert!(
    light::REACH + offset_of!(ThreadHeap, outbox) + offset_of!(Outbox, open) + size_of::<[Open; OPEN]>()
        <= size_of::<os::tls::Zeroes>(),
    "a thread without a heap reads zeroes as its open batches"
);
const _: () = assert!(size_of::<Node>() == 512, "32 nodes to a chunk; docs/ARCHITECTURE.md, section 5");
