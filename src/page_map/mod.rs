//! Box `page_map` (L2): whose pointer is this? One tag and one record address for each 64 KiB of address space.
//! Owns: the root (512 KiB of .bss, touched where used) and 1 MiB leaves of 4 GiB each between guard pages, mapped on demand, never unmapped;
//! the hot table, what `free` has to know of the granules of spans.
//! Calls: base, os, stats.   Locks: none.   Threads: any.   Never: fails for a lookup, whatever the pointer.

mod hot;

use crate::base::addr::{Addr, GRANULE};
use crate::base::sync::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use crate::class::{BIN_STRIDE, CLASSES};
use crate::os;
use crate::stats::counter::Counter;

#[cfg(feature = "paranoid")]
pub(crate) use hot::agrees;
pub(crate) use hot::bin_of;

const OWNER_MASK: u64 = !0xFFF;

/// Who owns a granule.
///
/// | value                              | meaning                                                   |
/// |------------------------------------|-----------------------------------------------------------|
/// | 0                                  | not ours                                                  |
/// | 1                                  | starts a large block                                      |
/// | 2                                  | the region of guarded blocks                              |
/// | 3                                  | starts a large block of the reserve                       |
/// | 16 + n                             | blocks of the reserve of 2^n bytes                        |
/// | heap address \| class * BIN_STRIDE | part of a span; heaps lie at multiples of 4096            |
///
/// So `tag ^ heap` is below `CLASSES * BIN_STRIDE` exactly when the granule is that heap's, and then is the offset of
/// the bin: owner, class, foreign and large in one compare.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Tag(pub(crate) u64);

impl Tag {
    pub(crate) const NONE: Tag = Tag(0);
    pub(crate) const LARGE: Tag = Tag(1);
    pub(crate) const GUARD: Tag = Tag(2);
    pub(crate) const RESERVE_LARGE: Tag = Tag(3);
    const RESERVE: u64 = 16;

    /// Of blocks of the reserve of `1 << shift` bytes.
    pub(crate) fn reserve(shift: u32) -> Tag {
        Tag(Tag::RESERVE + shift as u64)
    }

    pub(crate) fn is_reserve(self) -> bool {
        self == Tag::RESERVE_LARGE || self.reserve_shift().is_some()
    }

    /// What `reserve` was told.
    pub(crate) fn reserve_shift(self) -> Option<u32> {
        (Tag::RESERVE..Tag::RESERVE + 64).contains(&self.0).then(|| (self.0 - Tag::RESERVE) as u32)
    }

    pub(crate) fn of_span(owner: Addr, class_index: usize) -> Tag {
        debug_assert!(owner.is_aligned(4096));
        Tag(owner.0 as u64 | (class_index * BIN_STRIDE) as u64)
    }

    /// The owning heap; null for what is no span.
    pub(crate) fn owner(self) -> Addr {
        Addr((self.0 & OWNER_MASK) as usize)
    }

    pub(crate) fn is_span(self) -> bool {
        !self.owner().is_null()
    }

    /// The class of a span's tag.
    pub(crate) fn class_index(self) -> usize {
        (self.0 & !OWNER_MASK) as usize / BIN_STRIDE
    }
}

/// Linux gives no addresses above unless it is asked for them by a hint.
const ADDRESS_BITS: u32 = 48;
const LEAF_GRANULES: usize = 1 << 16;
const ROOT_LEAVES: usize = 1 << 16;
const INDEX_MASK: usize = 0xFFFF;

/// What is known of one granule.
struct Entry {
    tag: AtomicU64,
    record: AtomicUsize,
}

#[repr(transparent)]
struct Leaf([Entry; LEAF_GRANULES]);

/// Leaves that were mapped.
static LEAVES: Counter = Counter::new();
static ROOT: [AtomicPtr<Leaf>; ROOT_LEAVES] = [const { AtomicPtr::new(core::ptr::null_mut()) }; ROOT_LEAVES];

#[inline]
fn leaf(at: Addr) -> Option<&'static Leaf> {
    // SAFETY: masked to the root's length. Bits 48 and up are dropped: such an address is no valid pointer, and
    // flush, which compares whole addresses, reports it.
    let slot = unsafe { ROOT.get_unchecked((at.0 >> 32) & INDEX_MASK) };
    // Relaxed: a block of a leaf reaches another thread only by the program's own synchronisation, which also
    // carries the leaf's pointer; for a wild pointer null and non-null are both fine, and leaves start as zeroes
    // from the kernel, so there is no initialisation to see.
    let leaf = slot.load(Ordering::Relaxed);
    // SAFETY: null or a leaf that is never unmapped.
    unsafe { leaf.as_ref() }
}

#[inline]
fn entry(at: Addr) -> Option<&'static Entry> {
    // SAFETY: masked to a leaf's length.
    leaf(at).map(|leaf| unsafe { leaf.0.get_unchecked(at.granule() & INDEX_MASK) })
}

/// The tag of the granule that holds `at`.
pub(crate) fn tag(at: Addr) -> Tag {
    // Relaxed: the tag of a live block does not change but in `retag`, and the program handed the block over with its own
    // synchronisation.
    entry(at).map_or(Tag::NONE, |entry| Tag(entry.tag.load(Ordering::Relaxed)))
}

/// The record (span or large block) of the granule that holds `at`; null when there is none.
#[inline]
pub(crate) fn record(at: Addr) -> Addr {
    // Relaxed: as in `tag`.
    entry(at).map_or(Addr::NULL, |entry| Addr(entry.record.load(Ordering::Relaxed)))
}

/// Where the record of the granule that holds `at` is kept; `None`: nowhere yet.
pub(crate) fn word(at: Addr) -> Option<&'static AtomicUsize> {
    entry(at).map(|entry| &entry.record)
}

/// Enters `granules` granules from `at` on, which are not entered. `false`: no memory for a leaf, nothing entered.
pub(crate) fn enter(at: Addr, granules: usize, tag: Tag, record: Addr) -> bool {
    for index in 0..granules {
        if leaf(at.offset(index * GRANULE)).is_none() && !grow(at.offset(index * GRANULE)) {
            return false;
        }
    }
    for at in (0..granules).map(|index| at.offset(index * GRANULE)) {
        let Some(entry) = entry(at) else { continue };
        // Relaxed, both: readers get here with a block, see `tag`.
        entry.record.store(record.0, Ordering::Relaxed);
        entry.tag.store(tag.0, Ordering::Relaxed);
        if tag.is_span() {
            hot::show(at.granule(), tag);
        }
    }
    true
}

/// Strikes out what `enter` entered.
pub(crate) fn strike(at: Addr, granules: usize) {
    for at in (0..granules).map(|index| at.offset(index * GRANULE)) {
        let Some(entry) = entry(at) else { continue };
        // Relaxed, all: as in `enter`.
        let tag = Tag(entry.tag.load(Ordering::Relaxed));
        if tag.is_span() {
            hot::hide(at.granule(), tag);
        }
        entry.record.store(Addr::NULL.0, Ordering::Relaxed);
        entry.tag.store(Tag::NONE.0, Ordering::Relaxed);
    }
}

/// Gives granules that are entered with a span's tag another one, of the same class. The heap of the old one has no thread.
pub(crate) fn retag(at: Addr, granules: usize, tag: Tag) {
    for at in (0..granules).map(|index| at.offset(index * GRANULE)) {
        let Some(entry) = entry(at) else { continue };
        // Relaxed: who still sees the old one sends its block to the old owner, who passes it on.
        let old = Tag(entry.tag.swap(tag.0, Ordering::Relaxed));
        hot::replace(at.granule(), old, tag);
    }
}

/// Told of a live block whose granule has the tag `tag` and was not served by the hot table: next time it is, if it can be.
pub(crate) fn missed(at: Addr, tag: Tag) {
    hot::settle(at.granule(), tag);
}

/// Bytes of address space in leaves. Any thread.
pub(crate) fn mapped() -> u64 {
    LEAVES.get() * size_of::<Leaf>() as u64
}

#[cold]
fn grow(at: Addr) -> bool {
    if at.0 >> ADDRESS_BITS != 0 {
        return false;
    }
    let page = os::page_size();
    let len = size_of::<Leaf>() + 2 * page;
    let Some(outer) = os::map(len) else { return false };
    // What lies beside it may be a user's block.
    os::guard(outer, page);
    os::guard(outer.offset(len - page), page);
    let fresh = outer.offset(page);
    // SAFETY: masked to the root's length.
    let slot = unsafe { ROOT.get_unchecked((at.0 >> 32) & INDEX_MASK) };
    // Relaxed: a leaf's contents are the kernel's zeroes, see `leaf`.
    let won = slot.compare_exchange(core::ptr::null_mut(), fresh.as_ptr(), Ordering::Relaxed, Ordering::Relaxed);
    if won.is_err() {
        os::unmap(outer, len);
    } else {
        LEAVES.add(1);
    }
    true
}

const _: () = assert!(size_of::<Leaf>() == 1 << 20, "a leaf is a page multiple for every page size");
const _: () =
    assert!(CLASSES * BIN_STRIDE <= 4096, "an offset into the bins never reaches the bits of a heap's address");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_wild_addresses_have_no_owner() {
        for at in [0, 1, 0xDEAD_BEEF_0000, usize::MAX, 0xDEAD_BEEF_DEAD_BEEF] {
            assert!(tag(Addr(at)) == Tag::NONE && record(Addr(at)).is_null());
        }
    }

    #[test]
    fn an_entry_covers_its_granules_across_a_leaf_border_and_no_more() {
        let at = Addr((0x7A << 32) - 2 * GRANULE);
        let tag_in = Tag::of_span(Addr(0x5000), 7);
        assert!(enter(at, 4, tag_in, Addr(0x42)));
        assert!(tag(Addr(at.0 - 1)) == Tag::NONE);
        for offset in [0, 1, GRANULE, 4 * GRANULE - 1] {
            assert!(tag(at.offset(offset)) == tag_in && record(at.offset(offset)) == Addr(0x42));
        }
        assert!(tag(at.offset(4 * GRANULE)) == Tag::NONE);
        assert!((tag_in.owner(), tag_in.class_index()) == (Addr(0x5000), 7));
        strike(at, 4);
        assert!(tag(at) == Tag::NONE && record(at.offset(3 * GRANULE)).is_null());
    }

    #[test]
    fn a_refused_leaf_enters_nothing() {
        let at = Addr(0x6B << 32);
        let (entered, _) = os::fake::with_plan(os::fake::Plan::RefuseNth(0), || enter(at, 1, Tag::LARGE, Addr(0x42)));
        assert!(!entered && tag(at) == Tag::NONE);
    }
}
