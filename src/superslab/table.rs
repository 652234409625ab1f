//! The descriptors of SuperSlabs: a table that grows by chunks and never moves, so that any thread may look at any
//! descriptor at any time.

use core::mem::offset_of;

use super::changed::Marks;
use super::counts::{DIRTY, MAPPED_BYTES};
use super::slab::{SLOTS, SlabKind};
use super::sp_slot::SlotWord;
use crate::base::addr::{Addr, GRANULE};
use crate::base::index_stack::Links;
use crate::base::layout::{self, At};
use crate::base::sync::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use crate::meta;

/// SuperSlabs at most: 2 TiB of slots.
pub(super) const MAX: u32 = 1 << 20;
/// Descriptors that are made at once: no more than most processes need, or others' records would lie in a page behind.
const CHUNK: u32 = 16;
const CHUNKS: usize = (MAX / CHUNK) as usize;

/// One SuperSlab. All fields but the word are written under the pool lock while the word is RETIRED.
pub(super) struct SuperSlab {
    pub(super) word: SlotWord,
    base: AtomicUsize,
    /// Slots that do not exist: a SuperSlab got under `ulimit -v` may be short.
    absent: AtomicU32,
    /// 1: may be one huge page. Set under the pool lock, cleared by whoever purges a part of it.
    huge: AtomicU32,
    /// Of one that serves one kind only, for ever, that kind and one; else 0. (Core's atomics, as the next: no model is to go into what publishes nothing.)
    kind: core::sync::atomic::AtomicU32,
    /// Its slots that are open, if it does.
    pub(super) open: core::sync::atomic::AtomicU32,
    /// Whether it is noted in `Changed`, and its link there.
    changed: AtomicU32,
    link: AtomicU32,
    /// Where the two indexes have it.
    pub(super) filings: [Filing; 2],
}

/// A SuperSlab's place in an index. Under the pool lock; zeroes are a valid value: nowhere.
pub(super) struct Filing {
    place: AtomicU32,
    /// Numbers + 1.
    next: AtomicU32,
    prev: AtomicU32,
}

impl Filing {
    // Relaxed, throughout: under the lock.
    pub(super) fn place(&self) -> u32 {
        self.place.load(Ordering::Relaxed)
    }

    pub(super) fn next(&self) -> u32 {
        self.next.load(Ordering::Relaxed)
    }

    pub(super) fn prev(&self) -> u32 {
        self.prev.load(Ordering::Relaxed)
    }

    pub(super) fn set_place(&self, place: u32) {
        self.place.store(place, Ordering::Relaxed);
    }

    pub(super) fn set_next(&self, next: u32) {
        self.next.store(next, Ordering::Relaxed);
    }

    pub(super) fn set_prev(&self, prev: u32) {
        self.prev.store(prev, Ordering::Relaxed);
    }

    pub(super) fn set_ring(&self, next: u32, prev: u32) {
        self.set_next(next);
        self.set_prev(prev);
    }
}

impl SuperSlab {
    // Relaxed, here and below: published by `SlotWord::publish`, and read after an `acquire` or under the pool lock.
    pub(super) fn base(&self) -> Addr {
        Addr(self.base.load(Ordering::Relaxed))
    }

    pub(super) fn absent(&self) -> u32 {
        self.absent.load(Ordering::Relaxed)
    }

    /// Bytes mapped of it: under `ulimit -v` it may be a short one.
    pub(super) fn bytes(&self) -> usize {
        (SLOTS - self.absent().count_ones()) as usize * GRANULE
    }

    pub(super) fn is_huge(&self) -> bool {
        self.huge.load(Ordering::Relaxed) == 1
    }

    /// Sets whether it is huge, and says whether it was.
    pub(super) fn swap_huge(&self, huge: bool) -> bool {
        self.huge.swap(huge as u32, Ordering::Relaxed) == 1
    }

    /// The only kind that it serves, if it has one: see `apart`.
    #[inline]
    pub(super) fn kind(&self) -> Option<SlabKind> {
        self.kind.load(Ordering::Relaxed).checked_sub(1).map(|kind| SlabKind(kind as u8))
    }

    pub(super) fn describe(&self, base: Addr, absent: u32, kind: Option<SlabKind>) {
        self.base.store(base.0, Ordering::Relaxed);
        self.absent.store(absent, Ordering::Relaxed);
        self.kind.store(kind.map_or(0, |kind| kind.0 as u32 + 1), Ordering::Relaxed);
        self.open.store(0, Ordering::Relaxed);
    }
}

#[unsafe(link_section = ".bss.tables")] // touched here and there: see docs/ARCHITECTURE.md, section 5
static CHUNK_TABLE: [AtomicPtr<SuperSlab>; CHUNKS] = [const { AtomicPtr::new(core::ptr::null_mut()) }; CHUNKS];

pub(crate) const LAYOUT: layout::Pool = layout::Pool {
    chunks_at: At((&raw const CHUNK_TABLE).cast()),
    chunks: CHUNKS,
    chunk_slabs: CHUNK as usize,
    slab_size: size_of::<SuperSlab>(),
    slab_word: offset_of!(SuperSlab, word),
    slab_base: offset_of!(SuperSlab, base),
    slab_absent: offset_of!(SuperSlab, absent),
    dirty_at: At((&raw const DIRTY).cast()),
    mapped_at: At((&raw const MAPPED_BYTES).cast()),
};

/// The descriptor with this number, if it was ever made.
pub(super) fn get(id: u32) -> Option<&'static SuperSlab> {
    // Acquire pairs with the Release in `make`: the words of the chunk are RETIRED, not zero.
    let chunk = CHUNK_TABLE.get((id / CHUNK) as usize)?.load(Ordering::Acquire);
    if chunk.is_null() {
        return None;
    }
    // SAFETY: a chunk has CHUNK descriptors and is never freed.
    Some(unsafe { &*chunk.add((id % CHUNK) as usize) })
}

/// The descriptor `id`, made if need be. Under the pool lock. `None`: out of memory or of numbers.
pub(super) fn make(id: u32) -> Option<&'static SuperSlab> {
    let slot = CHUNK_TABLE.get((id / CHUNK) as usize)?;
    // Written to before it is read: a page that never was costs one fault so, not two. Relaxed: under the lock.
    let none = core::ptr::null_mut();
    if slot.compare_exchange(none, none, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
        let chunk = meta::alloc(CHUNK as usize * size_of::<SuperSlab>())?.as_ptr::<SuperSlab>();
        for index in 0..CHUNK as usize {
            // SAFETY: zeroed memory for CHUNK descriptors, for whose fields zero is a valid value.
            unsafe { &*chunk.add(index) }.word.init_retired();
        }
        // Release pairs with the Acquire in `get`.
        slot.store(chunk, Ordering::Release);
    }
    get(id)
}

/// The descriptors, to whom `Changed` asks for its marks and links.
pub(super) struct Descriptors;

/// Stands in for a descriptor that is not there, which nobody ever notes.
static NOBODY: AtomicU32 = AtomicU32::new(0);

impl Links for Descriptors {
    fn link(&self, id: u32) -> &AtomicU32 {
        get(id).map_or(&NOBODY, |super_slab| &super_slab.link)
    }
}

impl Marks for Descriptors {
    fn mark(&self, id: u32) -> &AtomicU32 {
        get(id).map_or(&NOBODY, |super_slab| &super_slab.changed)
    }
}

const _: () = {
    assert!(CHUNK as usize * size_of::<SuperSlab>() <= 4096, "a chunk is no more than a page of meta");
    assert!(size_of::<SuperSlab>() == 64, "docs/ARCHITECTURE.md, section 5, says so");
};
