//! Box `span` (L4), T-BACKEND: slabs carved into equal blocks of one class, with a bitmap of the free ones out of line.
//! Owns: span records, the lists of a heap's spans by class, claims.   Calls: base, os, class, config, page_map, meta,
//! superslab.   Called by: heap, hardened, front, abi.   Locks: `SPARE`, of spare claims, and `RANGES_GATHERED`, leaves; all else runs under the lock of
//! the heap that owns the spans.
//! Never: writes into a block.

mod ahead;
mod bitmap;
pub(crate) mod claims;
mod flush;
mod gather;
mod head;
mod lists;
mod live;
mod refill;
mod reset;
mod steps;
mod sweep;
mod transfer;

use core::mem::offset_of;
use core::ptr::NonNull;

use crate::base::addr::{Addr, GRANULE};
use crate::base::layout;
use crate::base::sync::AtomicUsize;
use crate::class::ClassId;
use crate::config;
use crate::meta;
use crate::os;
use crate::page_map::{self, Tag};
use crate::superslab::{self, Slab, SlabKind};
use head::SpanHead;

pub(crate) use flush::{Stop, flush, foreign};
pub(crate) use gather::Gather;
pub(crate) use lists::Spans;
#[cfg(feature = "paranoid")]
pub(crate) use lists::mark;
pub(crate) use live::{Live, WORDS as LIVE_WORDS};
pub(crate) use refill::refill;
pub(crate) use reset::is_any_going;
pub(crate) use steps::{Sweep, begin, settle, step};
pub(crate) use sweep::Dirty;
pub(crate) use transfer::transfer;

/// What the heap's lock guards of a span: the second part of its record, behind its head. The bitmap follows.
///
/// # Invariants
/// - S1: `slab` is ACTIVE and entered in the page map with this record and the tag of `owner` and `class`.
/// - S2: `free` is the number of set bits; bits at `capacity` and above are clear.
/// - S3: the span is on the list of its heap that `list` names; `next` and `prev` are that list's links.
/// - S4: words below `hint` have no set bit.
/// - S5: every block that lies in a page of `purged` is free.
#[repr(C)]
pub(crate) struct Span {
    free: u32,
    /// `free` at which the span moves to the next list.
    promote_at: u32,
    hint: u32,
    /// Blocks freed since the last sweep, `free` at most.
    freed: u32,
    /// `Dirty::generation` at the last refill, and at the last flush.
    taken_in: u16,
    freed_in: u16,
    list: lists::List,
    /// Whether the last sweep left free pages that were not worth a call.
    holes: bool,
    /// Whether its pages are closed: its blocks are of no bytes.
    closed: bool,
    next: Option<NonNull<Span>>,
    prev: Option<NonNull<Span>>,
    /// Pages that were given back, or of a big class never used, and not handed out since, a bit each: they read as zero.
    purged: sweep::Pages,
}

/// Bytes of both parts.
const PARTS: usize = size_of::<SpanHead>() + size_of::<Span>();

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
fn record_bytes(class: ClassId) -> usize {
    PARTS + bitmap::words(class.blocks_per_span()) * size_of::<u64>()
}

/// A span of `class` for the heap at `owner`, all blocks free, on no list. `None`: out of memory.
pub(crate) fn tiny_backend_acquire_span(class: ClassId, owner: Addr, dirty: &mut Dirty) -> Option<NonNull<Span>> {
    let record = meta::alloc(record_bytes(class))?;
    let Some(slab) = superslab::acquire_slab(SlabKind(class.index() as u8), class.slots()) else {
        meta::free(record, record_bytes(class));
        return None;
    };
    let claims = if config::get::hardened() != config::hardened::FULL {
        Addr::NULL
    } else if let Some(claims) = claims::make(class, !slab.dirty) {
        claims
    } else {
        superslab::release_slab(slab);
        meta::free(record, record_bytes(class));
        return None;
    };
    let (base, granules) = (slab.base, slab.granules());
    let span = make(record, class, owner, slab, claims, dirty.generation);
    // Last: from here on anybody may look at the head.
    if !page_map::enter(base, granules, Tag::of_span(owner, class.index()), record) {
        give_up(span);
        return None;
    }
    // SAFETY: just made; its heap's lock is held (caller).
    unsafe { span.as_ref() }.note_coming(dirty);
    Some(span)
}

fn make(record: Addr, class: ClassId, owner: Addr, slab: Slab, claims: Addr, generation: u16) -> NonNull<Span> {
    let capacity = class.blocks_per_span();
    let purged = if class.is_big() && !slab.dirty { sweep::all_pages(class) } else { sweep::Pages::NONE };
    let head = record.as_ptr::<SpanHead>();
    // SAFETY: a record of `record_bytes`, ours alone.
    unsafe {
        head.write(SpanHead {
            slab,
            reciprocal: class.reciprocal(),
            owner: AtomicUsize::new(owner.0),
            claims,
            capacity,
            block_size: class.block_size() as u32,
            class,
            plain: !config::is_ready(),
        });
    }
    // SAFETY: just written.
    let mut span = unsafe { &*head }.locked();
    // SAFETY: in the record, as above.
    unsafe {
        span.write(Span {
            free: capacity,
            promote_at: capacity,
            hint: 0,
            freed: 0,
            taken_in: generation,
            freed_in: generation,
            list: lists::List::None,
            holes: false,
            closed: false,
            next: None,
            prev: None,
            purged,
        });
    }
    // SAFETY: just written; nobody else has it.
    unsafe { span.as_mut() }.bitmap().set_first(capacity);
    span
}

/// Closes the pages of a span just acquired, until it is released: nobody is to touch its blocks. Refused, they are as others.
pub(crate) fn close(mut span: NonNull<Span>) {
    // SAFETY: the caller's alone, who holds its heap's lock.
    let record = unsafe { span.as_mut() };
    record.closed = os::guard(record.base(), record.slab.granules() * GRANULE);
}

/// Gives an empty span, on no list, back to the pool.
#[inline(never)] // for the stack, see `reclaim/decay.rs`
pub(crate) fn tiny_backend_release_span(mut span: NonNull<Span>, dirty: &mut Dirty) {
    // SAFETY: the caller took the span off its lists and every block is free, so nothing names it but the page map.
    let record = unsafe { span.as_mut() };
    debug_assert!(record.free == record.capacity && record.list == lists::List::None);
    record.note_leaving(dirty);
    if config::get::hardened() != config::hardened::OFF && record.plain {
        clear(record);
    }
    page_map::strike(record.base(), record.slab.granules());
    give_up(span);
}

/// Gives back what a span has that is not in the page map, and its record.
#[inline(never)] // a jump from a release, the deepest there is, whose frame is gone by then
fn give_up(span: NonNull<Span>) {
    // SAFETY: the caller's alone, and no block of it is in use: nobody looks at the record any more.
    let span = unsafe { span.as_ref() };
    let (record, class, closed) = (span.record(), span.class, span.closed);
    if !span.claims.is_null() {
        claims::give(class, span.claims);
    }
    // SAFETY: the head's, which is given up.
    let slab = unsafe { (&raw const span.slab).read() };
    // Refused, it is lost: nobody could use it.
    if !closed || os::unguard(slab.base, slab.granules() * GRANULE) {
        superslab::release_slab(slab);
    }
    meta::free(record, record_bytes(class));
}

/// Zeroes a span from before the options were read: hardened heaps take all slabs for zero.
#[cold]
fn clear(span: &Span) {
    let bytes = span.slab.granules() * GRANULE;
    if !os::purge(span.base(), bytes) {
        // SAFETY: the slab is the span's, and no block of it is in use.
        unsafe { span.base().as_ptr::<u8>().write_bytes(0, bytes) };
    }
}

/// Whether a block starts at `at`, whose granule has a span's tag. Takes no lock: see `head.rs`.
pub(crate) fn starts_block(at: Addr) -> bool {
    starts_block_of(page_map::record(at), at)
}

/// Whether the block that starts at `at` is from before the options were read. Takes no lock, as `starts_block`.
#[cold]
pub(crate) fn is_plain(at: Addr) -> bool {
    SpanHead::of(page_map::record(at)).is_some_and(|head| head.plain)
}

/// `starts_block`, for who asks that one when this says no: a look fewer, and mostly it is enough.
#[inline(always)]
pub(crate) fn surely_starts_block(at: Addr) -> bool {
    starts_block_of(page_map::first_record(at), at)
}

#[inline(always)]
fn starts_block_of(record: Addr, at: Addr) -> bool {
    SpanHead::of(record).is_some_and(|head| head.starting_at(at).is_some())
}

impl Span {
    fn bitmap(&mut self) -> bitmap::Bitmap<'_> {
        let words = bitmap::words(self.capacity);
        let start = Addr::of(self).offset(size_of::<Span>()).as_ptr::<u64>();
        // SAFETY: the record was allocated with this many words behind it (`record_bytes`), and `self` is borrowed.
        bitmap::Bitmap(unsafe { core::slice::from_raw_parts_mut(start, words) })
    }
}

const _: () = assert!(
    size_of::<SpanHead>() + size_of::<Span>() == 112,
    "128 bytes with 128 blocks' bits; docs/ARCHITECTURE.md, section 5"
);
