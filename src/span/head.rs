//! `SpanHead`: what never changes of a span from before its granules are entered in the page map until they are struck out. Whoever has a block of
//! the span may look at it without a lock, and nobody has it mutably meanwhile: what the lock guards, `Span`, lies behind it, apart.
//!
//! Who has no block, and only says so, may come while the record becomes another's. Records are never unmapped, so he reads something, and what
//! he makes of it is checked where it counts: under the lock.

use crate::base::addr::Addr;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::class::ClassId;
use crate::superslab::Slab;

/// The first part of a span's record.
#[repr(C)]
pub(crate) struct SpanHead {
    pub(super) slab: Slab,
    pub(super) reciprocal: u64,
    /// A heap's address: the one thing here that changes. Written under the locks of the old and the new owner: who holds one of them knows
    /// whether it is that.
    pub(super) owner: AtomicUsize,
    /// What the program holds of each block, with `HAKMEM_HARDENED=1`; else null.
    pub(super) claims: Addr,
    pub(super) capacity: u32,
    pub(super) block_size: u32,
    pub(super) class: ClassId,
    /// Whether it is from before the options were read: its blocks are not as a hardened heap's others are.
    pub(super) plain: bool,
}

impl SpanHead {
    /// The head in a record that the page map has for a granule with a span's tag; `None` where that is null.
    #[inline(always)]
    pub(super) fn of(record: Addr) -> Option<&'static SpanHead> {
        // SAFETY: null or a span's record, which begins with its head, or was one: those are never unmapped.
        unsafe { record.as_ptr::<SpanHead>().as_ref() }
    }

    #[inline(always)]
    pub(super) fn base(&self) -> Addr {
        self.slab.base
    }

    pub(super) fn owner(&self) -> Addr {
        // Relaxed: see the field.
        Addr(self.owner.load(Ordering::Relaxed))
    }

    /// The index of the block that holds the byte `offset` bytes into the span.
    #[inline(always)]
    pub(super) fn index_at(&self, offset: usize) -> u32 {
        ((offset as u64).wrapping_mul(self.reciprocal) >> 42) as u32
    }

    /// Where the block starts in which `at` lies.
    pub(super) fn start_of(&self, at: Addr) -> Addr {
        self.base().offset(self.index_at(at.since(self.base())) as usize * self.block_size as usize)
    }

    /// The index of the block that starts at `at`; `None`: none does.
    #[inline(always)]
    pub(super) fn starting_at(&self, at: Addr) -> Option<u32> {
        let offset = at.since(self.base());
        let index = (offset as u64).wrapping_mul(self.reciprocal) >> 42;
        let starts = index < self.capacity as u64 && index as usize * self.block_size as usize == offset;
        starts.then_some(index as u32)
    }
}
