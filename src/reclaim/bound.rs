//! The bound on dirty memory, enforced by whoever frees.
//!
//! The contract allows max(32 MiB, live / 8) beyond what is live. As much may be dirty at any time; of what stays idle only
//! half of it, so that what no figure here covers (records, batches) has its place too. Three quarters as the bound cost
//! bench_c/bench_large 20000 64 1 a quarter more faults.
//!
//! What was earned (`regret`) raises it, by up to three quarters of what is live (24 MiB at least), or what was in use of late and is not now
//! (`peak`), or half of what large blocks have mapped so far as they left it, 64 MiB at most, but for what of that lay idle for half a decay time.
//! A program (`mallopt`) or its user may choose the bound. Then decay leaves so much alone as well, and what regret earned still comes on top, or
//! a bound below what a program frees and takes anew all the time would cost it a fault a page.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use super::figures::{COUNTS, Dirty, REST, period};
use super::give::{TURN, shed};
use super::{peak, regret};
use crate::config;
use crate::heap;
use crate::large;
use crate::superslab;

const MIN_CONTRACT: u64 = 32 << 20;
/// The most that a free which passes the bound gives back beyond the excess: half a millisecond's work.
const MORE: u64 = 8 << 20;
const LIVE_PART: u64 = 8;
/// The most that may be earned by what large blocks left. Above that they are few, mostly untouched, and worth little to each other: `calloc` of
/// a GiB, again and again, would be made of half of the last one, and have to clear it.
const LARGE_ALLOWANCE: u64 = 64 << 20;
/// What may be earned even when nothing is live: between rounds of a program that frees all and starts over.
const MIN_ALLOWANCE: u64 = 24 << 20;

// Relaxed, in all of this file: figures that guide a policy and publish nothing; a lost update shifts it a little.
/// Bytes that the last purge could not give back (a refused `madvise`, busy heaps): not tried again before decay.
static FUTILE: AtomicU64 = AtomicU64::new(0);
/// Bytes that were left at once, for decay to take in steps (`super::at_leisure`): so much more may be dirty until then.
static LENT: AtomicU64 = AtomicU64::new(0);

fn live() -> u64 {
    (superslab::active_bytes() + large::active_bytes()).saturating_sub(heap::free_bytes())
}

/// What may be dirty at any time, and be resident beyond what is live one decay time after a peak.
fn contract(live: u64) -> u64 {
    match chosen() {
        0 => MIN_CONTRACT.max(live / LIVE_PART),
        bytes => bytes,
    }
}

/// The bound that was chosen, `REST` at least: less is not worth a call; 0: none was. So much stays, however long it is idle.
#[inline]
fn chosen() -> u64 {
    match config::get::trim_threshold() as u64 {
        0 => 0,
        bytes => bytes.max(REST),
    }
}

/// Bytes that stay, by `HAKMEM_TRIM_THRESHOLD`.
pub(super) fn kept() -> u64 {
    if period() == 0 { 0 } else { chosen() }
}

/// Whether nothing is dirty but what is to stay.
pub(super) fn is_kept(dirty: Dirty) -> bool {
    let kept = kept();
    kept > 0 && dirty.total() <= kept
}

/// How much of what was earned holds here.
fn allowance(live: u64, earned: u64) -> u64 {
    earned.min(most_allowance(live))
}

fn most_allowance(live: u64) -> u64 {
    (live / 4 * 3).max(MIN_ALLOWANCE).max(peak::recent().saturating_sub(live))
}

/// What large blocks left, half of what they have mapped at most. They swing far in turn, and any of them is made of what others left, so what is
/// live at the moment says little: bench_c/bench_large 2000 4 42 5000000 25000000 takes 29,000 faults, 150,000 without. All that they have mapped,
/// instead of half, takes no fewer there, and peaks higher where other blocks come next; beside free slots, too, less of it stays.
fn left_by_large() -> u64 {
    large::dirty_bytes().saturating_sub(superslab::dirty_bytes()).min(large::mapped_bytes() / 2).min(LARGE_ALLOWANCE)
}

/// At least so much may be dirty at any time.
#[inline]
pub(super) fn least() -> u64 {
    match (period(), chosen()) {
        (0, _) => 0,
        (_, 0) => MIN_CONTRACT,
        (_, bytes) => bytes,
    }
}

/// How much may be dirty now.
pub(super) fn now() -> u64 {
    if period() == 0 {
        return FUTILE.load(Ordering::Relaxed);
    }
    let live = live();
    let earned = regret::earned();
    contract(live) + FUTILE.load(Ordering::Relaxed) + lent() + allowance(live, earned).max(earned.min(left_by_large()))
}

/// Bytes that are lent.
pub(super) fn lent() -> u64 {
    LENT.load(Ordering::Relaxed)
}

/// Lends so many more, unless nothing is to stay, or so much as was chosen.
pub(super) fn lend(bytes: u64) {
    if period() > 0 && chosen() == 0 {
        LENT.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Takes back what is lent and gone. Each quarter of a decay time.
pub(super) fn take_back(dirty: u64) {
    LENT.fetch_min(dirty, Ordering::Relaxed);
}

/// Takes back what decay gave. No more, and not by the clock: what is over the bound then goes at once, by who frees next.
pub(super) fn repay(given: u64) {
    LENT.store(lent().saturating_sub(given), Ordering::Relaxed);
}

/// Gives back the excess and an eighth of the bound more, `MORE` at most, lest every free after this one come here too. Unless another thread
/// is at it.
#[cold]
pub(super) fn enforce() {
    let Some(_turn) = TURN.try_lock() else { return };
    regret::settle();
    let bound = now();
    let Some(excess) = Dirty::now().total().checked_sub(bound) else { return };
    COUNTS.bound.add(1);
    // Pages inside spans are not missed: they could have served no other class.
    let (given, general) = shed((excess + (bound / 8).min(MORE)) as usize);
    regret::gone(general as u64);
    // Not what is over now: others went on freeing. What could not be given before is in the bound already.
    let futile = FUTILE.load(Ordering::Relaxed);
    FUTILE.store((futile + excess).saturating_sub(given as u64), Ordering::Relaxed);
}

/// Of `idle` bytes that nobody used, those that go at once: down to half of what the contract allows. What was earned and
/// not used is gone.
pub(super) fn idle_excess(idle: u64) -> u64 {
    let live = live();
    let unused = idle.saturating_sub(contract(live));
    if unused > 0 {
        regret::forget(most_allowance(live).max(left_by_large()), unused);
    }
    idle.saturating_sub(contract(live) / 2)
}

/// Once a decay time: what could not be purged is tried again.
pub(super) fn age() {
    FUTILE.store(0, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_is_32_mib_or_an_eighth_and_what_was_earned_raises_it_up_to_three_quarters_of_what_is_live() {
        const M: u64 = 1 << 20;
        assert_eq!((contract(0), contract(256 * M), contract(800 * M)), (32 * M, 32 * M, 100 * M));
        assert_eq!((allowance(0, 7), allowance(0, 100 * M), allowance(16 * M, 100 * M)), (7, 24 * M, 24 * M));
        assert_eq!((allowance(400 * M, 1000 * M), allowance(400 * M, 200 * M)), (300 * M, 200 * M));
    }
}
