//! `Claim`: how much of a block the program holds, which is all that the full form knows of it besides what lies in it.

use core::sync::atomic::{AtomicU16, AtomicU64, Ordering, fence};

use crate::base::addr::Addr;
use crate::canary;
use crate::span::claims::{self, FRESH, GONE};

/// One block's claim.
///
/// | value     | state                                       | leaves by                        |
/// |-----------|---------------------------------------------|----------------------------------|
/// | 0         | not the program's; was, or may have been    | `set` → held                     |
/// | 1, FRESH  | not the program's, and the page is untouched | `set` → held                     |
/// | 2, BUSY   | about to become another: its end may be anything | `set`, `let_go`              |
/// | 8..=65535 | held; the bytes behind what was asked for   | `take`, `begin` → BUSY           |
#[derive(Clone, Copy)]
pub(super) struct Claim(&'static AtomicU16);

const BUSY: u16 = 2;
/// Fewest bytes behind what was asked for.
pub(super) const MIN_SLACK: usize = 8;

impl Claim {
    /// Ends the program's hold: the bytes behind what it asked for, or `None` when it holds nothing. Of two frees at
    /// once only one gets them.
    #[inline]
    pub(super) fn take(self) -> Option<usize> {
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

    /// What `take` will probably give. Any number.
    #[inline]
    pub(super) fn peek(self) -> usize {
        self.0.load(Ordering::Relaxed) as usize
    }

    /// Says that the block's end is about to change. Its holder, or whose it is while nobody holds it.
    #[inline]
    pub(super) fn begin(self) {
        self.0.store(BUSY, Ordering::Relaxed);
        fence(Ordering::Release);
    }

    /// Says that what `take` took is all zero.
    #[inline]
    pub(super) fn let_go(self) {
        // Release: pairs with the Acquire in `Place::is_clear_before`.
        self.0.store(GONE, Ordering::Release);
    }

    /// The bytes behind what the program asked for, if it holds the block.
    pub(super) fn slack(self) -> Option<usize> {
        let slack = self.0.load(Ordering::Relaxed) as usize;
        (slack >= MIN_SLACK).then_some(slack)
    }

    pub(super) fn is_fresh(self) -> bool {
        self.0.load(Ordering::Relaxed) == FRESH
    }

    pub(super) fn set(self, slack: usize) {
        debug_assert!(slack >= MIN_SLACK && slack <= u16::MAX as usize);
        // Release: as in `let_go`.
        self.0.store(slack as u16, Ordering::Release);
    }
}

/// The block that starts at an address.
pub(super) struct Place {
    /// Bytes of the block.
    pub(super) bytes: usize,
    /// `None` in a span from before the options were read.
    pub(super) claim: Option<Claim>,
    /// The claim of the block before; `None` where there is none, or it has none.
    before: Option<Claim>,
}

impl Place {
    /// Whether up to 32 bytes before the block, which starts at `at`, are as they should be: as many as are not the program's. `end` says what
    /// the last 8 are in a block of which the program holds all but so many bytes: nobody ever writes there but by the claim's leave.
    #[inline(always)]
    pub(super) fn is_clear_before(&self, at: Addr, end: impl Fn(Addr, usize) -> u64) -> bool {
        let Some(claim) = self.before else { return true };
        // More than once: its holder may have changed it, and back, between our looks at the claim.
        self.seems_clear(claim, at, &end) || (0..2).any(|_| self.seems_clear(claim, at, &end))
    }

    #[inline(always)]
    fn seems_clear(&self, claim: Claim, at: Addr, end: impl Fn(Addr, usize) -> u64) -> bool {
        let word = |behind: usize| {
            // SAFETY: an aligned word of the block before, which has so many: 16 bytes at least, and `slack` of what is held.
            let word = unsafe { &*Addr(at.0 - behind * size_of::<u64>()).as_ptr::<AtomicU64>() };
            u64::from_le(word.load(Ordering::Relaxed))
        };
        // Acquire: pairs with the Release of `set` and `let_go`.
        let slack = claim.0.load(Ordering::Acquire);
        let (last, zeroes) = match slack {
            BUSY => return true,
            FRESH => (0, self.bytes),
            // More would rather be a write after its free.
            GONE => (0, 0),
            slack => (end(Addr(at.0 - self.bytes), slack as usize), slack as usize - MIN_SLACK),
        };
        // All four are read, as far as there are so many, and those that count: a loop would turn another number of times for each block.
        let most = self.bytes / size_of::<u64>();
        let other = |behind: usize| {
            let word = word(behind.min(most));
            if behind * size_of::<u64>() <= zeroes { word } else { 0 }
        };
        // Written out: of a range the compiler makes a call.
        let others = other(2) | other(3) | other(4);
        let found = (word(1) ^ last) | others;
        // Pairs with the Release fences: who has read what was written after `begin` sees that.
        fence(Ordering::Acquire);
        found == 0 || claim.0.load(Ordering::Relaxed) != slack
    }
}

/// The claim of the block at `at`, which will soon be looked at: that may go on meanwhile, from one record to the next. `None`: it has none.
#[inline(always)]
pub(super) fn soon(at: Addr) -> Option<Claim> {
    let claim = claims::place(at)?.claim?;
    canary::prefetch(Addr::of(claim));
    Some(Claim(claim))
}

/// The block that starts at `at`, whose granule has a span's tag; `None` when none does. Takes no lock.
#[inline(never)]
pub(super) fn place(at: Addr) -> Option<Place> {
    place_here(at)
}

/// The same, without a call.
#[inline(always)]
pub(super) fn place_here(at: Addr) -> Option<Place> {
    let claims::Place { bytes, claim, before } = claims::place(at)?;
    Some(Place { bytes, claim: claim.map(Claim), before: before.map(Claim) })
}
