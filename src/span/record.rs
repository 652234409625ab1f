//! `Span`: what a heap's lock guards of a span, and how its record is laid out: the head, this, the bitmap.

use core::mem::offset_of;
use core::ops::Deref;
use core::ptr::NonNull;

use super::bitmap;
use super::head::SpanHead;
use crate::base::addr::Addr;
use crate::base::layout;
use crate::class::ClassId;
use crate::superslab::Slab;

/// What the heap's lock guards of a span: the second part of its record, behind its head. The bitmap follows.
///
/// # Invariants
/// - S1: `slab` is ACTIVE, or taken from `Dirty::region`, and entered in the page map with this record and the tag of `owner` and `class`.
/// - S2: `free` is the number of set bits; bits at `capacity` and above are clear.
/// - S3: the span is on the list of its heap that `list` names; `next` and `prev` are that list's links.
/// - S4: words below `hint` have no set bit.
/// - S5: every block that lies in a page of `purged` is free.
#[repr(C)]
pub(crate) struct Span {
    pub(super) free: u32,
    /// `free` at which the span moves to the next list.
    pub(super) promote_at: u32,
    pub(super) hint: u32,
    /// Blocks freed since the last sweep, `free` at most.
    pub(super) freed: u32,
    /// `Dirty::generation` at the last refill, and at the last flush.
    pub(super) taken_in: u16,
    pub(super) freed_in: u16,
    pub(super) list: List,
    /// Whether the last sweep left free pages that were not worth a call.
    pub(super) holes: bool,
    /// Whether its pages are closed: its blocks are of no bytes.
    pub(super) closed: bool,
    pub(super) next: Option<NonNull<Span>>,
    pub(super) prev: Option<NonNull<Span>>,
    /// Pages that were given back, or, where blocks are longer than a page, never used, and not handed out since, a bit each: they read as zero.
    pub(super) purged: Pages,
}

/// Bytes of both parts.
pub(super) const PARTS: usize = size_of::<SpanHead>() + size_of::<Span>();

pub(crate) const LAYOUT: layout::Span = layout::Span {
    base: offset_of!(SpanHead, slab) + offset_of!(Slab, base),
    owner: offset_of!(SpanHead, owner),
    free: size_of::<SpanHead>() + offset_of!(Span, free),
    capacity: offset_of!(SpanHead, capacity),
    block_size: offset_of!(SpanHead, block_size),
    class: offset_of!(SpanHead, class),
    claims: offset_of!(SpanHead, claims),
    bitmap: PARTS,
};

/// Bytes of a record with its bitmap.
pub(super) fn record_bytes(class: ClassId) -> usize {
    PARTS + bitmap::words(class.blocks_per_span()) * size_of::<u64>()
}

/// Where a span stands.
///
/// | list      | free blocks             | moves                                        |
/// |-----------|-------------------------|----------------------------------------------|
/// | Full      | 0                       | by a flush → where `free` says               |
/// | Fullest   | up to a quarter         | by a flush → Fuller, by a refill → Full      |
/// | Fuller    | up to half              | …                                            |
/// | Emptier   | up to three quarters    | …                                            |
/// | Emptiest  | more, not all           | by a flush → Empty                           |
/// | Empty     | all                     | kept (see `KEEP_MAX`) or given back             |
/// | GoneFuller, GoneEmptier | up to half, more; all in purged pages | by a flush or a refill → where `free` says |
/// | Going     | some; a sweep gives pages of it back | by that sweep → where `free` says |
/// | None      |                         | being made or given back                     |
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum List {
    Fullest = 0,
    Fuller = 1,
    Emptier = 2,
    Emptiest = 3,
    Empty = 4,
    /// After all others: a block of these is a page fault.
    GoneFuller = 5,
    GoneEmptier = 6,
    Full = 7,
    Going = 8,
    None = 9,
}

pub(super) const CHAINS: usize = 9;

impl List {
    pub(super) fn is_gone(self) -> bool {
        matches!(self, List::GoneFuller | List::GoneEmptier)
    }
}

/// A bit for each page of a span. As aligned as words are, so that a record has no gap.
#[derive(Clone, Copy)]
#[repr(C, packed(8))]
pub(super) struct Pages(pub(super) u128);

impl Pages {
    pub(super) const NONE: Pages = Pages(0);

    pub(super) fn is_none(self) -> bool {
        self.0 == 0
    }

    pub(super) fn count(self) -> usize {
        let bits = self.0;
        bits.count_ones() as usize
    }
}

impl Span {
    pub(super) fn bitmap(&mut self) -> bitmap::Bitmap<'_> {
        let words = bitmap::words(self.capacity);
        let start = Addr::of(self).offset(size_of::<Span>()).as_ptr::<u64>();
        // SAFETY: the record was allocated with this many words behind it (`record_bytes`), and `self` is borrowed.
        bitmap::Bitmap(unsafe { core::slice::from_raw_parts_mut(start, words) })
    }

    /// Word `at` of the bitmap. Without its bounds: they are a tenth of what freeing a block by itself takes.
    ///
    /// # Safety
    /// `at` is the word of a block below `capacity`.
    #[inline(always)]
    pub(super) unsafe fn word(&mut self, at: u32) -> &mut u64 {
        let start = Addr::of(self).offset(size_of::<Span>()).as_ptr::<u64>();
        // SAFETY: one of the words that the record has behind it (`record_bytes`), by what the caller owes; and `self` is borrowed.
        unsafe { &mut *start.add(at as usize) }
    }

    /// Where its record begins.
    #[inline(always)]
    pub(super) fn record(&self) -> Addr {
        Addr(Addr::of(self).0 - size_of::<SpanHead>())
    }
}

impl Deref for Span {
    type Target = SpanHead;

    #[inline(always)]
    fn deref(&self) -> &SpanHead {
        // By the pointer, not by its number: the compiler then keeps one for both parts, and a flush a frame that is two words shorter.
        // SAFETY: a `Span` is nowhere but in a record, behind its head.
        unsafe { &*core::ptr::from_ref(self).cast::<SpanHead>().sub(1) }
    }
}

impl SpanHead {
    /// What lies behind it.
    #[inline(always)]
    pub(super) fn locked(&self) -> NonNull<Span> {
        // SAFETY: within the record.
        unsafe { NonNull::from(self).add(1) }.cast()
    }
}

const _: () = assert!(
    size_of::<SpanHead>() + size_of::<Span>() == 112,
    "128 bytes with 128 blocks' bits; docs/ARCHITECTURE.md, section 5"
);
