//! Claims: two bytes for each block of a span, out of line, with `HAKMEM_HARDENED=1`. What they say only `hardened` knows.
//!
//! An array belongs to one span at a time, and its memory only ever holds claims: a second free that looks its claim up
//! while the span is being released changes no other record.

use core::sync::atomic::{AtomicU16, Ordering};

use super::head::SpanHead;
use super::sheets;
use crate::base::addr::Addr;
use crate::class::ClassId;
use crate::page_map;

/// What they are of a block that nobody was given since the span was made: its memory may have been used before, or never was.
pub(crate) const GONE: u16 = 0;
pub(crate) const FRESH: u16 = 1;

/// Claims for a span of `class`, nothing held; `fresh`: its memory was never used. `None`: out of memory.
pub(super) fn make(class: ClassId, fresh: bool) -> Option<Addr> {
    let claims = sheets::take(bytes(class))?;
    set_all(class, claims, if fresh { FRESH } else { GONE });
    Some(claims)
}

fn bytes(class: ClassId) -> usize {
    class.blocks_per_span() as usize * size_of::<AtomicU16>()
}

fn set_all(class: ClassId, claims: Addr, to: u16) {
    for index in 0..class.blocks_per_span() as usize {
        // SAFETY: the array has a claim for each block, and is never unmapped.
        let claim = unsafe { &*claims.as_ptr::<AtomicU16>().wrapping_add(index) };
        claim.store(to, Ordering::Relaxed);
    }
}

/// Ends the program's hold of every block of a span of `class`.
pub(super) fn forget(class: ClassId, claims: Addr) {
    set_all(class, claims, GONE);
}

/// The block that starts at an address.
pub(crate) struct Place {
    /// Bytes of the block.
    pub(crate) bytes: usize,
    /// `None` in a span that has none.
    pub(crate) claim: Option<&'static AtomicU16>,
    /// That of the block before; `None` where there is none, or it has none.
    pub(crate) before: Option<&'static AtomicU16>,
}

/// The block that starts at `at`, whose granule has a span's tag; `None` when none does. Takes no lock, as `starts_block`.
#[inline(always)]
pub(crate) fn place(at: Addr) -> Option<Place> {
    // Mostly the first look is enough.
    let record = match page_map::first_record(at) {
        Addr::NULL => page_map::record(at),
        record => record,
    };
    let head = SpanHead::of(record)?;
    let index = head.starting_at(at)? as usize;
    let claims = head.claims.as_ptr::<AtomicU16>();
    // SAFETY: the array has a claim for each of `capacity` blocks, and is never unmapped.
    let claim = (!claims.is_null()).then(|| unsafe { &*claims.add(index) });
    // SAFETY: as above.
    let before = (!claims.is_null() && index > 0).then(|| unsafe { &*claims.add(index - 1) });
    Some(Place { bytes: head.block_size as usize, claim, before })
}

const _: () = assert!(4096 * size_of::<AtomicU16>() <= sheets::MOST, "the claims of the smallest class are one array");
