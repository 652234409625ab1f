//! The leaves: what is known of each granule, 4 GiB of addresses in each leaf, and the root that finds them.

use core::mem::offset_of;

use super::tag::Tag;
use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::round_up;
use crate::base::layout::{self, At};
use crate::base::sync::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use crate::os;
use crate::os::names::{self, Name};
use crate::stats::counter::Counter;

/// Linux gives no addresses above unless it is asked for them by a hint.
pub(super) const ADDRESS_BITS: u32 = 48;
const GRANULES: usize = 1 << 16;
const LEAVES: usize = 1 << 16;
const INDEX_MASK: usize = 0xFFFF;
/// Pages of a leaf's entries where they are the smallest, 4 KiB.
pub(super) const PAGES: usize = size_of::<Entries>() / 4096;

/// What is known of one granule.
pub(crate) struct Entry {
    pub(super) tag: AtomicU64,
    pub(super) record: AtomicUsize,
}

impl Entry {
    /// The record of a granule that is entered.
    #[inline]
    pub(crate) fn record(&self) -> Addr {
        // Relaxed: readers get here with a block, as in `first_record`.
        Addr(self.record.load(Ordering::Relaxed))
    }

    /// Puts the tag `to` in the place of `from`, if it is that: of two that try it at once one is told that it did.
    #[inline]
    pub(crate) fn claim(&self, from: Tag, to: Tag) -> bool {
        // Acquire pairs with the Release in `renew`. Relaxed on failure: nothing is claimed.
        self.tag.compare_exchange(from.0, to.0, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Enters another tag for the same record, both the caller's alone.
    #[inline]
    pub(crate) fn renew(&self, tag: Tag) {
        // Release pairs with the Acquire in `claim`: whoever claims it next does so after all that was done before.
        self.tag.store(tag.0, Ordering::Release);
    }
}

pub(super) type Entries = [Entry; GRANULES];

/// # Invariants
/// - L1: a granule that is entered is so in one of `first` and the spare; in the other its tag and record are zero.
#[repr(C)]
pub(super) struct Leaf {
    first: Entries,
    /// As many entries once more, mapped before the first page of this leaf is given back: see `pages`.
    spare: AtomicPtr<Entries>,
    /// What `pages` knows of each page of entries.
    pub(super) pages: [AtomicU32; PAGES],
}

/// Which of the two has a granule's entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    First,
    Spare,
}

#[unsafe(link_section = ".bss.tables")] // touched here and there: see docs/ARCHITECTURE.md, section 5
static ROOT: [AtomicPtr<Leaf>; LEAVES] = [const { AtomicPtr::new(core::ptr::null_mut()) }; LEAVES];
static MAPPED: Counter = Counter::new();

pub(super) const LAYOUT: layout::PageMap = layout::PageMap {
    root_at: At((&raw const ROOT).cast()),
    root_words: LEAVES,
    granule: GRANULE,
    leaf_entries: GRANULES,
    leaf_spare: offset_of!(Leaf, spare),
    leaf_pages: offset_of!(Leaf, pages),
    entry_size: size_of::<Entry>(),
    entry_tag: offset_of!(Entry, tag),
    entry_record: offset_of!(Entry, record),
    tag_large: Tag::LARGE.0 as usize,
    tag_waits: Tag::WAITS.0 as usize,
    tag_guard: Tag::GUARD.0 as usize,
    tag_reserve_large: Tag::RESERVE_LARGE.0 as usize,
    tag_reserve: Tag::RESERVE as usize,
};

/// The leaf of `at` among the others.
pub(super) fn index(at: Addr) -> usize {
    (at.0 >> 32) & INDEX_MASK
}

/// The leaf for `at`.
#[inline]
pub(super) fn of(at: Addr) -> Option<&'static Leaf> {
    // Bits 48 and up are dropped: such an address is no valid pointer, and flush, which compares whole addresses, reports it.
    numbered(index(at))
}

#[inline]
pub(super) fn numbered(index: usize) -> Option<&'static Leaf> {
    // SAFETY: masked to the root's length.
    let slot = unsafe { ROOT.get_unchecked(index & INDEX_MASK) };
    // Relaxed: a block of a leaf reaches another thread only by the program's own synchronisation, which also
    // carries the leaf's pointer; for a wild pointer null and non-null are both fine, and leaves start as zeroes
    // from the kernel, so there is no initialisation to see.
    let leaf = slot.load(Ordering::Relaxed);
    // SAFETY: null or a leaf that is never unmapped.
    unsafe { leaf.as_ref() }
}

/// Whether the leaf for `at` is there. Before the first one the root is not looked at: `grow` will write to it, and it would take two page faults.
pub(super) fn is_there(at: Addr) -> bool {
    MAPPED.get() != 0 && of(at).is_some()
}

fn get(entries: &Entries, at: Addr) -> &Entry {
    // SAFETY: masked to the number of entries.
    unsafe { entries.get_unchecked(at.granule() & INDEX_MASK) }
}

impl Leaf {
    /// The entry of the granule of `at` on one side.
    #[inline]
    pub(super) fn on(&self, side: Side, at: Addr) -> &Entry {
        match side {
            Side::First => get(&self.first, at),
            // Without a spare nobody was ever told to use it.
            Side::Spare => get(self.spare().unwrap_or(&self.first), at),
        }
    }

    /// Where the granule of `at` is entered, if it is (L1).
    pub(super) fn side(&self, at: Addr) -> Side {
        let is_in = |entries: &Entries| get(entries, at).tag.load(Ordering::Relaxed) != 0;
        // Relaxed: as in `first_tag`; what was entered here before was struck out before this was entered there.
        if !is_in(&self.first) && self.spare().is_some_and(is_in) { Side::Spare } else { Side::First }
    }

    /// The spare's entries, if they are there.
    pub(super) fn spare(&self) -> Option<&'static Entries> {
        // Relaxed: who was told to use it read the page's word with Acquire, and readers come behind who entered.
        let spare = self.spare.load(Ordering::Relaxed);
        // SAFETY: null, or mapped for this and never unmapped.
        unsafe { spare.as_ref() }
    }

    /// Makes sure of the spare. `false`: no memory for it.
    pub(super) fn map_spare(&self) -> bool {
        self.spare().is_some() || map_into(&self.spare).is_some()
    }

    /// The page with the entry of the granule of `at`.
    pub(super) fn page(&self, side: Side, at: Addr) -> Addr {
        Addr(Addr::of(self.on(side, at)).0 & !(os::page_size() - 1))
    }
}

/// Maps the leaf for `at`. `false`: no memory for it, or no address that has one.
#[cold]
pub(super) fn grow(at: Addr) -> bool {
    // SAFETY: masked to the root's length.
    let slot = unsafe { ROOT.get_unchecked(index(at)) };
    // The first one needs nothing of the kernel: under `RLIMIT_AS` a megabyte may be half of what is left.
    let won = match os::room::take(size_of::<Leaf>()) {
        Some(room) => {
            // SAFETY: ours, large enough, and zeroes, which are a leaf.
            let leaf = unsafe { &*room.as_ptr::<Leaf>() };
            // As it is: what stands behind it is read before it is written to, which would be a page fault each.
            leaf.spare.store(core::ptr::null_mut(), Ordering::Relaxed);
            let won = link(slot, room);
            if !won {
                os::room::give_back();
            }
            Some(won)
        }
        None => map_into(slot),
    };
    if won == Some(true) {
        MAPPED.add(1);
    }
    won.is_some()
}

/// Maps zeroes between guard pages, and makes `slot` point to them unless another thread was faster: whether it was not.
fn map_into<T>(slot: &AtomicPtr<T>) -> Option<bool> {
    let page = os::page_size();
    let len = round_up(size_of::<T>(), page)? + 2 * page;
    let outer = os::map(len)?;
    names::give(outer, len, Name::Records);
    // What lies beside it may be a user's block.
    os::guard(outer, page);
    os::guard(outer.offset(len - page), page);
    let won = link(slot, outer.offset(page));
    if !won {
        os::unmap(outer, len);
    }
    Some(won)
}

/// Makes `slot` point to the zeroes at `fresh`, unless another thread was faster: whether it was not.
fn link<T>(slot: &AtomicPtr<T>, fresh: Addr) -> bool {
    // Relaxed: the contents are the kernel's zeroes, see `numbered` and `spare`.
    slot.compare_exchange(core::ptr::null_mut(), fresh.as_ptr(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

/// Bytes of leaves that are resident beside their entries.
pub(super) fn overhead() -> u64 {
    MAPPED.get() * os::page_size() as u64
}

const _: () = assert!(size_of::<Entries>() == 1 << 20, "entries are a page multiple for every page size");
const _: () = assert!(size_of::<Leaf>() - size_of::<Entries>() <= 4096, "what is behind the entries is one page");
