//! The descriptors of SuperSlabs: a table that grows by chunks and never moves, so that any thread may look at any
//! descriptor at any time.

use super::SLOTS;
use super::sp_slot::SlotWord;
use crate::base::addr::{Addr, GRANULE};
use crate::base::sync::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use crate::meta;

/// SuperSlabs at most: 2 TiB of slots.
pub(super) const MAX: u32 = 1 << 20;
const CHUNK: u32 = 256;
const CHUNKS: usize = (MAX / CHUNK) as usize;
const AVAIL_WORDS: usize = MAX as usize / 64;

/// One SuperSlab. All fields but the word are written under the pool lock while the word is RETIRED.
pub(super) struct SuperSlab {
    pub(super) word: SlotWord,
    base: AtomicUsize,
    /// Slots that do not exist: a SuperSlab got under `ulimit -v` may be short.
    absent: AtomicU32,
    /// 1: may be one huge page. Set under the pool lock, cleared by whoever purges a part of it.
    huge: AtomicU32,
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

    pub(super) fn describe(&self, base: Addr, absent: u32) {
        self.base.store(base.0, Ordering::Relaxed);
        self.absent.store(absent, Ordering::Relaxed);
    }
}

static CHUNK_TABLE: [AtomicPtr<SuperSlab>; CHUNKS] = [const { AtomicPtr::new(core::ptr::null_mut()) }; CHUNKS];
/// A bit for each SuperSlab that may have a slot to give: a hint, set by `release`, cleared by a scan under the lock.
static AVAIL: [AtomicU64; AVAIL_WORDS] = [const { AtomicU64::new(0) }; AVAIL_WORDS];

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
    if slot.load(Ordering::Relaxed).is_null() {
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

/// Notes that `id` may have a slot to give.
pub(super) fn set_avail(id: u32) {
    if let Some(word) = AVAIL.get((id / 64) as usize) {
        // AcqRel pairs with `clear_avail`: either the clear comes first and the bit stays, or the clearer sees the
        // slot word that we released before.
        word.fetch_or(1 << (id % 64), Ordering::AcqRel);
    }
}

/// Takes the note back. The caller looks at the slot word afterwards and sets it again if that has a free slot.
pub(super) fn clear_avail(id: u32) {
    if let Some(word) = AVAIL.get((id / 64) as usize) {
        // AcqRel: see `set_avail`.
        word.fetch_and(!(1 << (id % 64)), Ordering::AcqRel);
    }
}

/// The numbers below `high` that may have a slot to give.
pub(super) fn available(high: u32) -> impl Iterator<Item = u32> {
    (0..high.div_ceil(64)).flat_map(|index| {
        // Acquire pairs with `set_avail`.
        let mut bits = AVAIL.get(index as usize).map_or(0, |word| word.load(Ordering::Acquire));
        core::iter::from_fn(move || {
            let bit = (bits != 0).then(|| bits.trailing_zeros())?;
            bits &= bits - 1;
            Some(index * 64 + bit)
        })
    })
}

const _: () = assert!(CHUNK as usize * size_of::<SuperSlab>() <= 16 << 10, "a chunk is one record of meta");
