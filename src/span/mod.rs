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
use crate::base::sync::{AtomicUsize, Ordering};
use crate::class::ClassId;
use crate::config;
use crate::meta;
use crate::os;
use crate::page_map::{self, Tag};
use crate::superslab::{self, Slab, SlabKind};

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

/// What a span is to hardened heaps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Usual,
    /// From before the options were read: its blocks are not as others are.
    Plain,
    /// Its pages are closed: its blocks are of no bytes.
    Closed,
}

/// A span's record. Its bitmap follows it in memory.
///
/// # Invariants
/// - S1: `slab` is ACTIVE and entered in the page map with this record and the tag of `owner` and `class`.
/// - S2: `free` is the number of set bits; bits at `capacity` and above are clear.
/// - S3: the span is on the list of its heap that `list` names; `next` and `prev` are that list's links.
/// - S4: words below `hint` have no set bit.
/// - S5: every block that lies in a page of `purged` is free.
#[repr(C)]
pub(crate) struct Span {
    base: Addr,
    reciprocal: u64,
    /// A heap's address. Written under the locks of the old and the new owner: who holds one of them knows whether it is that.
    owner: AtomicUsize,
    pub(crate) free: u32,
    /// `free` at which the span moves to the next list.
    promote_at: u32,
    pub(crate) capacity: u32,
    block_size: u32,
    hint: u32,
    /// Blocks freed since the last sweep, `free` at most.
    freed: u32,
    /// `Dirty::generation` at the last refill, and at the last flush.
    taken_in: u16,
    freed_in: u16,
    class: ClassId,
    list: lists::List,
    /// Whether the last sweep left free pages that were not worth a call.
    holes: bool,
    /// Never changes.
    kind: Kind,
    next: Option<NonNull<Span>>,
    prev: Option<NonNull<Span>>,
    slab: Option<Slab>,
    /// What the program holds of each block, with `HAKMEM_HARDENED=1`; else null. Never changes.
    claims: Addr,
    /// Pages that were given back, or of a big class never used, and not handed out since, a bit each: they read as zero.
    purged: u128,
}

pub(crate) const LAYOUT: layout::Span = layout::Span {
    base: offset_of!(Span, base),
    owner: offset_of!(Span, owner),
    free: offset_of!(Span, free),
    capacity: offset_of!(Span, capacity),
    block_size: offset_of!(Span, block_size),
    class: offset_of!(Span, class),
    claims: offset_of!(Span, claims),
    bitmap: size_of::<Span>(),
};

/// Bytes of a record with its bitmap.
fn record_bytes(class: ClassId) -> usize {
    size_of::<Span>() + bitmap::words(class.blocks_per_span()) * size_of::<u64>()
}

/// A span of `class` for the heap at `owner`, all blocks free, on no list. `None`: out of memory.
pub(crate) fn tiny_backend_acquire_span(class: ClassId, owner: Addr, dirty: &mut Dirty) -> Option<NonNull<Span>> {
    let record = meta::alloc(record_bytes(class))?;
    let Some(slab) = superslab::acquire_slab(SlabKind(class.index() as u8), class.slots()) else {
        meta::free(record, record_bytes(class));
        return None;
    };
    if !page_map::enter(slab.base, slab.granules(), Tag::of_span(owner, class.index()), record) {
        superslab::release_slab(slab);
        meta::free(record, record_bytes(class));
        return None;
    }
    let claims = if config::get::hardened() != config::hardened::FULL {
        Addr::NULL
    } else if let Some(claims) = claims::make(class, !slab.dirty) {
        claims
    } else {
        page_map::strike(slab.base, slab.granules());
        superslab::release_slab(slab);
        meta::free(record, record_bytes(class));
        return None;
    };
    let capacity = class.blocks_per_span();
    let purged = if class.is_big() && !slab.dirty { sweep::all_pages(class) } else { 0 };
    let span = record.as_ptr::<Span>();
    // SAFETY: a record of `record_bytes`, ours alone.
    unsafe {
        span.write(Span {
            base: slab.base,
            reciprocal: class.reciprocal(),
            owner: AtomicUsize::new(owner.0),
            free: capacity,
            promote_at: capacity,
            capacity,
            block_size: class.block_size() as u32,
            hint: 0,
            freed: 0,
            taken_in: dirty.generation,
            freed_in: dirty.generation,
            class,
            list: lists::List::None,
            holes: false,
            kind: if config::is_ready() { Kind::Usual } else { Kind::Plain },
            next: None,
            prev: None,
            slab: Some(slab),
            claims,
            purged,
        });
    }
    // SAFETY: just written; nobody else has it.
    unsafe { &mut *span }.bitmap().set_first(capacity);
    // SAFETY: as above.
    unsafe { &*span }.note_coming(dirty);
    NonNull::new(span)
}

/// Closes the pages of a span just acquired, until it is released: nobody is to touch its blocks. Refused, they are as others.
pub(crate) fn close(mut span: NonNull<Span>) {
    // SAFETY: the caller's alone, who holds its heap's lock.
    let record = unsafe { span.as_mut() };
    let bytes = record.slab.as_ref().map_or(0, |slab| slab.granules() * GRANULE);
    if os::guard(record.base, bytes) {
        record.kind = Kind::Closed;
    }
}

/// Gives an empty span, on no list, back to the pool.
#[inline(never)] // for the stack, see `reclaim/decay.rs`
pub(crate) fn tiny_backend_release_span(span: NonNull<Span>, dirty: &mut Dirty) {
    // SAFETY: the caller took the span off its lists and every block is free, so nothing names it but the page map.
    let record = unsafe { &mut *span.as_ptr() };
    debug_assert!(record.free == record.capacity && record.list == lists::List::None);
    record.note_leaving(dirty);
    let class = record.class;
    if config::get::hardened() != config::hardened::OFF && record.kind == Kind::Plain {
        clear(record);
    }
    if !record.claims.is_null() {
        claims::give(class, record.claims);
    }
    if let Some(slab) = record.slab.take() {
        page_map::strike(slab.base, slab.granules());
        // Refused, it is lost: nobody could use it.
        if record.kind != Kind::Closed || os::unguard(slab.base, slab.granules() * GRANULE) {
            superslab::release_slab(slab);
        }
    }
    meta::free(Addr::of(span.as_ptr()), record_bytes(class));
}

/// Zeroes a span from before the options were read: hardened heaps take all slabs for zero.
#[cold]
fn clear(span: &Span) {
    let bytes = span.slab.as_ref().map_or(0, |slab| slab.granules() * GRANULE);
    if !os::purge(span.base, bytes) {
        // SAFETY: the slab is the span's, and no block of it is in use.
        unsafe { span.base.as_ptr::<u8>().write_bytes(0, bytes) };
    }
}

/// Whether a block starts at `at`, whose granule has a span's tag. Takes no lock: reads only what a live span never
/// changes, and the caller holds the block, or claims to.
pub(crate) fn starts_block(at: Addr) -> bool {
    starts_block_of(page_map::record(at), at)
}

/// Whether the block that starts at `at` is from before the options were read. Takes no lock, as `starts_block`.
#[cold]
pub(crate) fn is_plain(at: Addr) -> bool {
    let span = page_map::record(at).as_ptr::<Span>();
    // SAFETY: records are never unmapped. The field alone: the owner may hold the rest of the record mutably.
    !span.is_null() && unsafe { (&raw const (*span).kind).read() } == Kind::Plain
}

/// `starts_block`, for who asks that one when this says no: a look fewer, and mostly it is enough.
#[inline(always)]
pub(crate) fn surely_starts_block(at: Addr) -> bool {
    starts_block_of(page_map::first_record(at), at)
}

#[inline(always)]
fn starts_block_of(record: Addr, at: Addr) -> bool {
    let span = record.as_ptr::<Span>();
    if span.is_null() {
        return false;
    }
    // SAFETY: records are never unmapped. Field by field: the owner may hold the rest of the record mutably.
    let (base, reciprocal) = unsafe { ((&raw const (*span).base).read(), (&raw const (*span).reciprocal).read()) };
    // SAFETY: as above.
    let (size, capacity) = unsafe { ((&raw const (*span).block_size).read(), (&raw const (*span).capacity).read()) };
    let offset = at.since(base);
    let index = (offset as u64).wrapping_mul(reciprocal) >> 42;
    index < capacity as u64 && index as usize * size as usize == offset
}

impl Span {
    fn owner(&self) -> Addr {
        // Relaxed: see the field.
        Addr(self.owner.load(Ordering::Relaxed))
    }

    /// The index of the block that holds the byte `offset` bytes into the span.
    fn index_at(&self, offset: usize) -> u32 {
        ((offset as u64).wrapping_mul(self.reciprocal) >> 42) as u32
    }

    fn bitmap(&mut self) -> bitmap::Bitmap<'_> {
        let words = bitmap::words(self.capacity);
        let start = Addr::of(self).offset(size_of::<Span>()).as_ptr::<u64>();
        // SAFETY: the record was allocated with this many words behind it (`record_bytes`), and `self` is borrowed.
        bitmap::Bitmap(unsafe { core::slice::from_raw_parts_mut(start, words) })
    }
}

const _: () = assert!(size_of::<Span>() == 112, "128 bytes with 128 blocks' bits; docs/ARCHITECTURE.md, section 5");
