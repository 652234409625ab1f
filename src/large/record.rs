//! `Large`: a large block's record, and how it is found.

use core::cell::Cell;
use core::ptr::NonNull;

use crate::base::addr::{Addr, GRANULE};
use crate::config;
use crate::meta;
use crate::os::{Defect, die};
use crate::page_map::{self, Tag};
use crate::region::Region;
use crate::stats::allowance::Allowance;
use crate::superslab::Slab;
use crate::trace;

/// A large block's record, found through the page map at the block's first granule.
///
/// One of another kind, known by its tag, has a record of its own that begins with this: what is said of all large blocks is said here.
pub(crate) struct Large {
    pub(crate) base: Addr,
    /// Bytes that are the block's: a granule multiple, or what its kind says.
    pub(crate) bytes: usize,
    /// What the program may use of them: all, but where the block's end is watched. Of a run the most that was asked for, though it may use all.
    pub(crate) size: usize,
    /// The slots of a run; `None` for a mapping of its own.
    pub(super) slab: Option<Slab>,
    /// Whether it may wait at a seat when it is freed: a mapping of its own, of which no trace is kept; and not
    /// from before the options were read, lest a hardened process hand it out.
    pub(super) waits: bool,
    /// Whether the profiler has a note of it. Written by who holds the block.
    pub(super) sampled: bool,
    /// Whose it is, if somebody may free it with all of his.
    pub(super) hold: Hold,
    /// Where it lies, if that is memory of the program's own.
    pub(super) given: Option<&'static Region>,
}

const _: () = assert!(size_of::<Large>() == 88, "docs/ARCHITECTURE.md, section 5, says so");

/// One's blocks. It stays where it is while there are any.
pub(crate) struct Held {
    pub(super) first: Cell<Option<NonNull<Large>>>,
    /// The record of whose they are.
    pub(super) owner: Addr,
    pub(super) allowance: &'static Allowance,
    /// Where they lie, if that is memory of the program's own.
    pub(super) region: Option<&'static Region>,
}

// SAFETY: `first` is read and written under `LINKS`.
unsafe impl Sync for Held {}

/// A record's part in that; nobody's by default.
#[derive(Default)]
pub(super) struct Hold {
    pub(super) by: Option<&'static Held>,
    pub(super) next: Option<NonNull<Large>>,
    pub(super) prev: Option<NonNull<Large>>,
    /// Which block it is, of all that were ever held; 0: of nobody's.
    pub(super) serial: u64,
}

impl Large {
    pub(super) fn plain(base: Addr, bytes: usize, slab: Option<Slab>) -> Large {
        let waits = slab.is_none() && config::ready() && config::get::trace() != 1;
        Large { slab, waits, ..Large::watched(base, bytes, bytes) }
    }

    /// Whether it has a mapping of its own, which goes into the cache.
    fn is_mapping(&self) -> bool {
        self.slab.is_none() && self.given.is_none()
    }

    /// What the program may use.
    pub(super) fn usable(&self) -> usize {
        if self.slab.is_some() { self.bytes } else { self.size }
    }

    /// Of a block of which the program has `size` bytes, which its box watches.
    pub(crate) fn watched(base: Addr, bytes: usize, size: usize) -> Large {
        Large { base, bytes, size, slab: None, waits: false, sampled: false, hold: Hold::default(), given: None }
    }
}

/// The record of the large block, of whichever kind, that starts at `at`: the one granule that is entered for it.
pub(crate) fn find(at: Addr) -> Option<NonNull<Large>> {
    if !at.is_aligned(GRANULE) || !page_map::tag(at).is_large() {
        return None;
    }
    NonNull::new(page_map::record(at).as_ptr())
}

/// The record of the block tagged `tag` that starts at `at`, and that nobody else can free any more. Ends the process when there is none.
pub(crate) fn claim<T>(at: Addr, tag: Tag) -> NonNull<T> {
    let entry = page_map::entry(at).filter(|entry| at.is_aligned(GRANULE) && entry.claim(tag, Tag::WAITS));
    let Some(record) = entry.and_then(|entry| NonNull::new(entry.record().as_ptr())) else {
        die(if page_map::tag(at) == tag { Defect::FREE_INTERIOR } else { Defect::FREE_FOREIGN }, at)
    };
    record
}

/// Enters a block with its record, a `Large` or what begins with one. `None`: out of memory, and it was undone, which nobody has seen.
#[inline(always)]
pub(crate) fn enroll<T>(record: Addr, block: T, at: Addr, tag: Tag, undo: impl FnOnce(T)) -> Option<Addr> {
    // SAFETY: a record of this size, the caller's alone. Before it can be found: who looks for one is told of no other.
    unsafe { record.as_ptr::<T>().write(block) };
    if !page_map::enter_left(at, tag, record) && !page_map::enter(at, 1, tag, record) {
        // SAFETY: just written, and found by nobody.
        undo(unsafe { record.as_ptr::<T>().read() });
        meta::free(record, size_of::<T>());
        return None;
    }
    trace::on_alloc(at);
    Some(at)
}

/// Strikes out and gives back the record of a claimed block. No lock is held: pages of the map may go to the kernel.
pub(crate) fn forget<T>(at: Addr, record: NonNull<T>) -> T {
    struck_by(strike, at, record)
}

/// `forget`, of a block whose memory may stay in the box.
pub(super) fn forget_plain(at: Addr, record: NonNull<Large>) -> Large {
    // SAFETY: claimed, as in `struck_by`.
    let stays = unsafe { record.as_ref() }.is_mapping();
    struck_by(if stays { leave } else { strike }, at, record)
}

fn struck_by<T>(strike: fn(Addr), at: Addr, record: NonNull<T>) -> T {
    // SAFETY: claimed: nobody else finds the record any more; it is read once and then given back.
    let block = unsafe { record.read() };
    strike(at);
    meta::free(Addr::of(record.as_ptr()), size_of::<T>());
    block
}

fn strike(at: Addr) {
    trace::on_free(at);
    drop(page_map::strike(at, 1));
}

/// Strikes out a claimed block, whose record is the caller's from then on, and whose memory stays in the box: the next block that starts there is
/// entered without an atomic step.
pub(super) fn leave(at: Addr) {
    trace::on_free(at);
    page_map::leave(at);
}
