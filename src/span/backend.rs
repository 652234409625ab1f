//! The doors to the pool: a span is made of a slab, and gives it back.

use core::ptr::NonNull;

use super::dirty::Dirty;
use super::head::SpanHead;
use super::record::{List, Pages, Span, record_bytes};
use super::{claims, sheets, sweep};
use crate::base::addr::{Addr, GRANULE};
use crate::base::sync::AtomicUsize;
use crate::class::ClassId;
use crate::config;
use crate::os;
use crate::page_map::{self, Tag};
use crate::region::Region;
use crate::superslab::{self, Slab, SlabKind};

/// A span of `class` for the heap at `owner`, whose `dirty` it is, all blocks free, on no list. `None`: out of memory.
pub(crate) fn tiny_backend_acquire_span(class: ClassId, owner: Addr, dirty: &mut Dirty) -> Option<NonNull<Span>> {
    let record = dirty.spare.take(record_bytes(class))?;
    let slab = match dirty.region {
        None => superslab::acquire_slab(SlabKind(class.index() as u8), class.slots()),
        Some(region) => given(region, class),
    };
    begin(record, class, owner, slab, dirty)
}

/// A slab in memory of the program's own.
#[cold]
#[inline(never)] // for the stack
fn given(region: &Region, class: ClassId) -> Option<Slab> {
    let base = region.acquire(class.slots() as usize, GRANULE)?;
    // Hardened heaps take all memory for zero.
    if config::get::hardened() != config::hardened::OFF {
        // SAFETY: the granules are ours.
        unsafe { base.as_ptr::<u8>().write_bytes(0, class.slots() as usize * GRANULE) };
    }
    Some(Slab::given(base, class.slots()))
}

/// Gives a slab back where it is from.
#[inline(always)]
fn give<const ONE_OF_MANY: bool>(slab: Slab, region: Option<&Region>) {
    match region {
        Some(region) => region.release(slab.base, slab.granules()),
        None if ONE_OF_MANY => superslab::release_one_of_many(slab),
        None => superslab::release_slab(slab),
    }
}

/// Makes a slab a span, if it was acquired.
#[inline(never)] // for the stack: it is acquired before, deep down
fn begin(record: Addr, class: ClassId, owner: Addr, slab: Option<Slab>, dirty: &mut Dirty) -> Option<NonNull<Span>> {
    let Some(slab) = slab else {
        dirty.spare.put(record, record_bytes(class));
        return None;
    };
    let claims = if config::get::hardened() != config::hardened::FULL {
        Addr::NULL
    } else if let Some(claims) = claims::make(class, !slab.dirty) {
        claims
    } else {
        give::<false>(slab, dirty.region);
        dirty.spare.put(record, record_bytes(class));
        return None;
    };
    let (base, granules) = (slab.base, slab.granules());
    let span = make(record, class, owner, slab, claims, dirty.generation);
    // Last: from here on anybody may look at the head.
    if !page_map::enter(base, granules, Tag::of_span(owner, class.index()), record) {
        give_up::<false>(span, dirty);
        return None;
    }
    // SAFETY: just made; its heap's lock is held (caller).
    unsafe { span.as_ref() }.note_coming(dirty);
    Some(span)
}

#[inline(never)] // for the stack: it is over when more of it is needed, or has not begun
fn make(record: Addr, class: ClassId, owner: Addr, slab: Slab, claims: Addr, generation: u16) -> NonNull<Span> {
    let capacity = class.blocks_per_span();
    // Of blocks longer than a page each is a fault or more, so it is known which were never used: they come last. Not of shorter ones: what a span of
    // those has not used would count against huge pages (bench_c/bench_thread_pool 16 300 1024: 5,800 faults instead of 2,900). A hardened heap
    // draws from all that it has.
    let is_known = class.is_big() || class.block_size() > os::page_size() && claims.is_null();
    let purged = if is_known && !slab.dirty { sweep::all_pages(class) } else { Pages::NONE };
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
            list: List::None,
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
pub(crate) fn tiny_backend_release_span(span: NonNull<Span>, dirty: &mut Dirty) {
    release::<false>(span, dirty);
}

/// Ends an empty span, on no list, as one of many at once or alone: see `superslab::release_one_of_many`.
#[inline(always)]
pub(super) fn release<const ONE_OF_MANY: bool>(mut span: NonNull<Span>, dirty: &mut Dirty) {
    // SAFETY: the caller took the span off its lists and every block is free, so nothing names it but the page map.
    let record = unsafe { span.as_mut() };
    debug_assert!(record.free == record.capacity && record.list == List::None);
    record.note_leaving(dirty);
    if config::get::hardened() != config::hardened::OFF && record.plain {
        clear(record, dirty);
    }
    page_map::strike(record.base(), record.slab.granules());
    give_up::<ONE_OF_MANY>(span, dirty);
}

/// Gives back what a span has that is not in the page map, and its record.
#[inline(always)]
fn give_up<const ONE_OF_MANY: bool>(span: NonNull<Span>, dirty: &mut Dirty) {
    // SAFETY: as below. Its record is read there: nobody takes it from `dirty` before.
    let record = unsafe { span.as_ref() };
    dirty.spare.put(record.record(), record_bytes(record.class));
    match dirty.region {
        None => give_up_pooled::<ONE_OF_MANY>(span),
        Some(region) => give_up_given(span, region),
    }
}

#[inline(never)] // a jump from a release, the deepest there is, whose frame is gone by then; and with no region to keep, a word less
fn give_up_pooled<const ONE_OF_MANY: bool>(span: NonNull<Span>) {
    give_up_by(span, |slab| give::<ONE_OF_MANY>(slab, None));
}

#[cold]
#[inline(never)] // likewise
fn give_up_given(span: NonNull<Span>, region: &Region) {
    give_up_by(span, |slab| give::<false>(slab, Some(region)));
}

#[inline(always)]
fn give_up_by(span: NonNull<Span>, give: impl FnOnce(Slab)) {
    // SAFETY: the caller's alone, and no block of it is in use: nobody looks at the record any more.
    let span = unsafe { span.as_ref() };
    let closed = span.closed;
    if !span.claims.is_null() {
        sheets::give(span.claims);
    }
    // SAFETY: the head's, which is given up.
    let slab = unsafe { (&raw const span.slab).read() };
    // Refused, it is lost: nobody could use it.
    if !closed || os::unguard(slab.base, slab.granules() * GRANULE) {
        give(slab);
    }
}

/// Zeroes a span from before the options were read: hardened heaps take all slabs for zero.
#[cold]
pub(super) fn clear(span: &Span, dirty: &Dirty) {
    let bytes = span.slab.granules() * GRANULE;
    if dirty.region.is_some() || !os::purge(span.base(), bytes) {
        // SAFETY: the slab is the span's, and no block of it is in use.
        unsafe { span.base().as_ptr::<u8>().write_bytes(0, bytes) };
    }
}
