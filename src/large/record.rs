//! `Large`: a large block's record, and how it is found.

use core::cell::Cell;
use core::ptr::NonNull;

use super::cuts::Cuts;
use super::site::{Fence, Site};
use crate::base::addr::{Addr, GRANULE};
use crate::config;
use crate::meta;
use crate::page_map::{self, Tag};
use crate::region::Region;
use crate::stats::allowance::Allowance;
use crate::superslab::Slab;

/// A large block's record, found through the page map at the block's first granule.
pub(super) struct Large {
    pub(super) base: Addr,
    /// Usable bytes: a granule multiple. Of a fenced block the open ones: a page multiple.
    pub(super) bytes: usize,
    /// The slots of a run; `None` for a mapping of its own.
    pub(super) slab: Option<Slab>,
    /// What the program may use of a fenced block, which is what it asked for; else `bytes`.
    pub(super) size: usize,
    /// Bytes of a fenced block's mapping; else 0.
    pub(super) mapped: usize,
    /// Where a fenced block's open pages may be more than one mapping to the kernel; and where it has closed ones.
    pub(super) cuts: Cuts,
    pub(super) fence: Fence,
    /// Whether it may wait at a seat when it is freed: a mapping of its own, not fenced, of which no trace is kept; and not
    /// from before the options were read, lest a hardened process hand it out.
    pub(super) waits: bool,
    /// Whether the profiler has a note of it. Written by who holds the block.
    pub(super) sampled: bool,
    /// Whose it is, if somebody may free it with all of his.
    pub(super) hold: Hold,
    /// Where it lies, if that is memory of the program's own.
    pub(super) given: Option<&'static Region>,
}

const _: () = assert!(size_of::<Large>() == 104, "docs/ARCHITECTURE.md, section 5, says so");

impl Large {
    pub(super) fn site(&self) -> Site {
        Site { base: self.base, mapped: self.mapped, fence: self.fence }
    }
}

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

pub(super) fn record_of(at: Addr) -> Option<NonNull<Large>> {
    if page_map::tag(at) != Tag::LARGE {
        return None;
    }
    NonNull::new(page_map::record(at).as_ptr())
}

/// A block starts the one granule that is entered for it.
pub(super) fn find(at: Addr) -> Option<NonNull<Large>> {
    if at.is_aligned(GRANULE) { record_of(at) } else { None }
}

impl Large {
    pub(super) fn plain(base: Addr, bytes: usize, slab: Option<Slab>) -> Large {
        let waits = slab.is_none()
            && config::ready()
            && config::get::hardened() == config::hardened::OFF
            && config::get::trace() != 1;
        Large {
            base,
            bytes,
            slab,
            size: bytes,
            mapped: 0,
            cuts: Cuts::NONE,
            fence: Fence::None,
            waits,
            sampled: false,
            hold: Hold::default(),
            given: None,
        }
    }
}

/// The record of the block that starts at `at`, and that nobody else can free any more.
pub(super) fn claim(at: Addr) -> Option<NonNull<Large>> {
    if !at.is_aligned(GRANULE) {
        return None;
    }
    let entry = page_map::entry(at).filter(|entry| entry.claim(Tag::LARGE, Tag::WAITS))?;
    NonNull::new(entry.record().as_ptr())
}

/// Strikes out and gives back the record of a claimed block. No lock is held: pages of the map may go to the kernel.
pub(super) fn forget(at: Addr, record: NonNull<Large>) {
    drop(page_map::strike(at, 1));
    meta::free(Addr::of(record.as_ptr()), size_of::<Large>());
}
