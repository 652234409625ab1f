//! `Claims`: for each block of a span how much of it the program holds, out of line. Only with `HAKMEM_HARDENED=1`.
//!
//! An array belongs to one span at a time and only ever serves as such an array: a second free that looks its claim up
//! while the span is being released changes no other record.

use core::sync::atomic::{AtomicU16, AtomicU64, Ordering, fence};

use super::head::SpanHead;
use crate::base::addr::Addr;
use crate::base::aside::Aside;
use crate::class::{CLASSES, ClassId};
use crate::meta;
use crate::os::lock::Mutex;
use crate::page_map;

/// One block's claim.
///
/// | value     | state                                       | leaves by                        |
/// |-----------|---------------------------------------------|----------------------------------|
/// | 0         | not the program's; was, or may have been    | `set` → held                     |
/// | 1, FRESH  | not the program's, and the page is untouched | `set` → held                     |
/// | 2, BUSY   | about to become another: its end may be anything | `set`, `let_go`              |
/// | 8..=65535 | held; the bytes behind what was asked for   | `take`, `begin` → BUSY           |
pub(crate) struct Claim(AtomicU16);

const GONE: u16 = 0;
const FRESH: u16 = 1;
const BUSY: u16 = 2;
/// Fewest bytes behind what was asked for.
pub(crate) const MIN_SLACK: usize = 8;

impl Claim {
    /// Ends the program's hold: the bytes behind what it asked for, or `None` when it holds nothing. Of two frees at
    /// once only one gets them.
    #[inline]
    pub(crate) fn take(&self) -> Option<usize> {
        // Relaxed, here and below: the number alone decides; the block's contents travel with the block.
        let slack = self.0.swap(BUSY, Ordering::Relaxed) as usize;
        if slack < MIN_SLACK {
            // As it was: not the program's.
            self.0.store(slack as u16, Ordering::Relaxed);
            return None;
        }
        // Release, here and in `begin`: who sees what is written to the block's end from now on sees this too.
        fence(Ordering::Release);
        Some(slack)
    }

    /// Says that the block's end is about to change. Its holder, or whose it is while nobody holds it.
    #[inline]
    pub(crate) fn begin(&self) {
        self.0.store(BUSY, Ordering::Relaxed);
        fence(Ordering::Release);
    }

    /// Says that what `take` took is all zero.
    #[inline]
    pub(crate) fn let_go(&self) {
        // Release: pairs with the Acquire in `Neighbour::end`.
        self.0.store(GONE, Ordering::Release);
    }

    /// The bytes behind what the program asked for, if it holds the block.
    pub(crate) fn slack(&self) -> Option<usize> {
        let slack = self.0.load(Ordering::Relaxed) as usize;
        (slack >= MIN_SLACK).then_some(slack)
    }

    pub(crate) fn is_fresh(&self) -> bool {
        self.0.load(Ordering::Relaxed) == FRESH
    }

    pub(crate) fn set(&self, slack: usize) {
        debug_assert!(slack >= MIN_SLACK && slack <= u16::MAX as usize);
        // Release: as in `let_go`.
        self.0.store(slack as u16, Ordering::Release);
    }
}

/// Spare arrays of each class, linked through the word in front of the claims.
static SPARE: Aside<Mutex<[Addr; CLASSES]>> = Aside(Mutex::new([Addr::NULL; CLASSES]));
const HEADER: usize = size_of::<Addr>();

/// Claims for a span of `class`, nothing held; `fresh`: its memory was never used. `None`: out of memory.
pub(super) fn make(class: ClassId, fresh: bool) -> Option<Addr> {
    let blocks = class.blocks_per_span() as usize;
    let mut spare = SPARE.lock();
    let head = spare.get_mut(class.index())?;
    let record = if head.is_null() {
        drop(spare);
        meta::alloc(HEADER + blocks * size_of::<Claim>())?
    } else {
        let record = *head;
        // SAFETY: a spare array begins with its link.
        *head = unsafe { *record.as_ptr::<Addr>() };
        record
    };
    let claims = record.offset(HEADER);
    for index in 0..blocks {
        // SAFETY: the record holds this many claims, and records are never unmapped.
        let claim = unsafe { &*claims.as_ptr::<Claim>().wrapping_add(index) };
        claim.0.store(if fresh { FRESH } else { GONE }, Ordering::Relaxed);
    }
    Some(claims)
}

/// Ends the program's hold of every block of a span of `class`.
pub(super) fn forget(class: ClassId, claims: Addr) {
    for index in 0..class.blocks_per_span() as usize {
        // SAFETY: the array has a claim for each block, and is never unmapped.
        let claim = unsafe { &*claims.as_ptr::<Claim>().wrapping_add(index) };
        claim.0.store(GONE, Ordering::Relaxed);
    }
}

/// Takes back the claims of a span of `class` in which nothing is held.
pub(super) fn give(class: ClassId, claims: Addr) {
    let record = Addr(claims.0 - HEADER);
    let mut spare = SPARE.lock();
    if let Some(head) = spare.get_mut(class.index()) {
        // SAFETY: the array is ours again, and begins with room for a link.
        unsafe { *record.as_ptr::<Addr>() = *head };
        *head = record;
    }
}

/// The block that starts at an address.
pub(crate) struct Place {
    /// Bytes of the block.
    pub(crate) bytes: usize,
    /// `None` in a span from before the options were read.
    pub(crate) claim: Option<&'static Claim>,
    /// The claim of the block before; `None` where there is none, or it has none.
    before: Option<&'static Claim>,
}

impl Place {
    /// Whether up to 32 bytes before the block, which starts at `at`, are as they should be: as many as are not the program's. `end` says what
    /// the last 8 are in a block of which the program holds all but so many bytes: nobody ever writes there but by the claim's leave.
    #[inline]
    pub(crate) fn is_clear_before(&self, at: Addr, end: impl Fn(Addr, usize) -> u64) -> bool {
        let Some(claim) = self.before else { return true };
        let word = |behind: usize| {
            // SAFETY: an aligned word of the block before, which has so many: 16 bytes at least, and `slack` of what is held.
            let word = unsafe { &*Addr(at.0 - behind * size_of::<u64>()).as_ptr::<AtomicU64>() };
            u64::from_le(word.load(Ordering::Relaxed))
        };
        // More than once: its holder may have changed it, and back, between our looks at the claim.
        (0..3).any(|_| {
            // Acquire: pairs with the Release of `set` and `let_go`.
            let slack = claim.0.load(Ordering::Acquire);
            let (last, zeroes) = match slack {
                BUSY => return true,
                FRESH => (0, self.bytes),
                // More would rather be a write after its free.
                GONE => (0, 0),
                slack => (end(Addr(at.0 - self.bytes), slack as usize), slack as usize - MIN_SLACK),
            };
            let others = (2..=(zeroes / size_of::<u64>()).min(4)).fold(0, |or, behind| or | word(behind));
            let found = (word(1) ^ last) | others;
            // Pairs with the Release fences: who has read what was written after `begin` sees that.
            fence(Ordering::Acquire);
            found == 0 || claim.0.load(Ordering::Relaxed) != slack
        })
    }
}

/// The block that starts at `at`, whose granule has a span's tag; `None` when none does. Takes no lock, as `starts_block`.
#[inline]
pub(crate) fn place(at: Addr) -> Option<Place> {
    let head = SpanHead::of(page_map::record(at))?;
    let index = head.starting_at(at)?;
    let claims = head.claims.as_ptr::<Claim>();
    // SAFETY: the array has a claim for each of `capacity` blocks, and is never unmapped.
    let claim = (!claims.is_null()).then(|| unsafe { &*claims.add(index) });
    // SAFETY: as above.
    let before = (!claims.is_null() && index > 0).then(|| unsafe { &*claims.add(index - 1) });
    Some(Place { bytes: head.block_size as usize, claim, before })
}

const _: () =
    assert!(HEADER + 4096 * size_of::<Claim>() <= 16 << 10, "the claims of the smallest class are one record");
