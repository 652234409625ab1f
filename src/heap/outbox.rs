//! The batches that a thread fills with others' blocks, and how many bytes may wait there: what is reserved for a batch is counted when it is, so
//! a free that finds room in it counts down one number.
//!
//! A thread may reserve `OWN_BYTES`, and beyond that what it draws from a budget of all threads together. It may sleep then, so anybody may empty its
//! batches (`recall.rs`) and give back what it drew; what it had reserved it loses by that, a batch at a time, as it comes to know of it.

use core::cell::Cell;

use super::node::{BATCH, BATCH_BYTES, Node};
use crate::base::addr::Addr;
use crate::base::sync::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

/// Destinations with an open batch at a time.
pub(super) const OPEN: usize = 16;
/// Bytes that a thread's open batches may hold without asking.
const OWN_BYTES: usize = 8 << 10;
/// What all threads together may hold beyond that, how much one draws of it at a time, and the most that one may have.
const BUDGET: usize = 1 << 20;
const SHARE: usize = 64 << 10;
const SHARE_MAX: usize = 256 << 10;
/// Bytes drawn from the budget.
static DRAWN: AtomicUsize = AtomicUsize::new(0);

/// One destination's open batch; `node` is null when there is none. Written by the heap's thread, but for `key`.
///
/// # Invariants
/// - O1: while bytes are `left` a batch is open: `node` is its, and so many more may wait in it than do.
/// - O2: `key` is 0 only where none are left.
#[repr(C)]
pub(super) struct Open {
    /// `owner ^ heap` where frees may fill the batch as they come, else 0 or `REVOKED`. So the `tag ^ heap` of a block, xor'ed with it, is the offset of
    /// its class's bin exactly if it is that owner's.
    pub(super) key: AtomicUsize,
    pub(super) node: AtomicPtr<Node>,
    pub(super) owner: Cell<Addr>,
    pub(super) left: Cell<u32>,
    /// `TURN` when it was opened.
    pub(super) turn: AtomicU32,
}

/// Somebody gave back what the thread drew. No `tag ^ heap` has this bit; with 0 the blocks of the thread's own heap would be taken for the owner's.
const REVOKED: usize = 1 << 62;

pub(super) struct Outbox {
    pub(super) open: [Open; OPEN],
    /// Bytes reserved for them, as the heap's thread has counted: what others took is still in it.
    reserved: Cell<usize>,
    /// Bytes drawn from the budget. Whoever empties the outbox gives them back.
    share: AtomicUsize,
}

// SAFETY: the cells are the user's: an `OwnHeap`'s, and in `add_remote` that of the thread whose word leads here; in a child of fork that of whoever
// forgets them, for the user is not there. All others keep to what is atomic.
unsafe impl Sync for Outbox {}

impl Open {
    /// Nothing is open here any more. The heap's thread.
    pub(super) fn clear(&self) {
        // Relaxed: our own; that the node is no longer here is the business of its `blocks`.
        self.node.store(core::ptr::null_mut(), Ordering::Relaxed);
        self.left.set(0);
        // Relaxed, here and wherever it is used: a word by itself.
        self.key.store(0, Ordering::Relaxed);
    }

    /// Has the next free take the way on which it is seen whether more may wait. Any thread, at any time.
    pub(super) fn revoke(&self) {
        if self.key.load(Ordering::Relaxed) != 0 {
            self.key.store(REVOKED, Ordering::Relaxed);
        }
    }
}

impl Outbox {
    /// Forgets the open batches: their sender does not exist in a child of fork.
    pub(super) fn forget(&self) {
        self.open.iter().for_each(Open::clear);
        self.reserved.set(0);
        self.return_share();
    }

    /// The only place where a batch may be open for the heap whose address is `between` xor'ed with that of this one.
    ///
    /// # Safety
    /// `outbox` is a heap's, or zeroes.
    #[inline(always)]
    pub(super) unsafe fn place<'a>(outbox: *const Outbox, between: usize) -> &'a Open {
        // Heaps lie 32 KiB apart in runs of some dozens.
        let place = (between >> 15 ^ between >> 19) % OPEN;
        // SAFETY: below the array's length, and the caller's.
        unsafe { &*(&raw const (*outbox).open).cast::<Open>().add(place) }
    }

    /// Whether no more is reserved than may be. The heap's thread only.
    #[inline(always)]
    pub(super) fn is_within(&self) -> bool {
        self.reserved.get() <= self.most() || self.draw()
    }

    /// What may be reserved without drawing.
    #[inline(always)]
    fn most(&self) -> usize {
        // Relaxed: a bound on what is held now, not on what is read.
        OWN_BYTES + self.share.load(Ordering::Relaxed)
    }

    /// Draws what is missing from the budget, if it is there.
    #[cold]
    fn draw(&self) -> bool {
        // Relaxed, all: numbers that are added up and compared.
        let share = self.share.load(Ordering::Relaxed);
        let more = self.reserved.get().saturating_sub(OWN_BYTES + share).div_ceil(SHARE) * SHARE;
        let drawn = |drawn: usize| (share + more <= SHARE_MAX && drawn + more <= BUDGET).then_some(drawn + more);
        if DRAWN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, drawn).is_err() {
            return false;
        }
        self.share.fetch_add(more, Ordering::Relaxed);
        true
    }

    /// Counts a block of `size` bytes into `open`, and gives up what was reserved there: it may be so no longer. The heap's thread only.
    pub(super) fn charge(&self, open: &Open, node: &Node, size: usize) {
        let left = open.left.replace(0) as usize;
        node.bytes.set(node.bytes.get() + size - left);
        self.reserved.set(self.reserved.get() + size - left);
    }

    /// Reserves for more blocks of `size` bytes as much as may be without drawing, half of it at most where that is enough for one. The heap's thread
    /// only.
    pub(super) fn reserve(&self, open: &Open, node: &Node, size: usize) {
        let Some(missing) = size.checked_sub(open.left.get() as usize) else { return };
        let room =
            self.most().saturating_sub(self.reserved.get()).min((BATCH_BYTES - 1).saturating_sub(node.bytes.get()));
        let more = (size * (BATCH - node.blocks.len())).min((room / 2).max(missing)).min(room);
        node.bytes.set(node.bytes.get() + more);
        self.reserved.set(self.reserved.get() + more);
        open.left.set(open.left.get() + more as u32);
    }

    /// Gives up what was reserved for a batch that ends. Says how many bytes are in it. The heap's thread only.
    pub(super) fn settle(&self, open: &Open, node: &Node) -> usize {
        let reserved = node.bytes.get();
        self.reserved.set(self.reserved.get() - reserved);
        reserved - open.left.get() as usize
    }

    pub(super) fn return_share(&self) {
        // Relaxed: as in `draw`.
        if self.share.load(Ordering::Relaxed) > 0 {
            DRAWN.fetch_sub(self.share.swap(0, Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}
