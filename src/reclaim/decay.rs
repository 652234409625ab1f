//! Decay: what nobody uses goes, by the clock.
//!
//! Time is cut into quarters of the decay time. Each source has a low-water mark of its dirty bytes in the quarter that
//! runs and in the one before: so much of it was idle all that time, however much of it comes and goes.
//! - Idle bytes beyond half of the bound go at once, in steps (`debt`): at most three quarters after a peak.
//! - Of the others a quarter goes each quarter, and the last MiB whole, but for what was earned (`regret`): that stays.
//! - Spans from which nothing was taken for half a decay time are swept each quarter.
//! - What `HAKMEM_TRIM_THRESHOLD` has room for stays.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use super::figures::{COUNTS, Dirty, REST, SETTLED, period};
use super::give::give_back;
use super::{bound, debt, idle, peak, regret};
use crate::heap::{self, Heap};
use crate::learn;
use crate::os;
use crate::os::lock::{Mutex, free_in_child};
use crate::pressure;
use crate::profile::{self, Occasion};
use crate::span;

/// Quarters in which all would go.
const ALL: u64 = 4;

// Relaxed, in all of this file: figures that guide a policy and publish nothing.
/// When the last tick was, in milliseconds of the coarse clock: for the look of those that will not tick. Written by who has `CLOCK`.
static LAST: AtomicU64 = AtomicU64::new(0);

/// Who has it ticks, and nobody else, however long that takes. Only tried, before all other locks.
static CLOCK: Mutex<Clock> = Mutex::new(Clock { half: 0, whole: 0 });

/// When the last half of a decay time was over, and the last whole one.
struct Clock {
    half: u64,
    whole: u64,
}

static POOL: Mark = Mark::new();
static LARGE: Mark = Mark::new();
static TOTAL: Mark = Mark::new();

/// The least that was dirty in the quarter that runs, and in the one before.
struct Mark {
    running: AtomicU64,
    before: AtomicU64,
}

impl Mark {
    const fn new() -> Mark {
        Mark { running: AtomicU64::new(0), before: AtomicU64::new(0) }
    }

    fn note(&self, bytes: u64) {
        // Mostly it is not lower: no store, and the line stays shared.
        if bytes < self.running.load(Ordering::Relaxed) {
            self.running.store(bytes, Ordering::Relaxed);
        }
    }

    /// Begins a new quarter. Returns what was idle in the one that ends and, unless that was a long one, the one before.
    fn turn(&self, bytes: u64, quarters: u64) -> u64 {
        let ended = self.running.swap(bytes, Ordering::Relaxed).min(bytes);
        let before = self.before.swap(ended, Ordering::Relaxed);
        if quarters > 1 { ended } else { ended.min(before) }
    }
}

/// Notes what is dirty. Called by slow paths that free, when it is at its lowest.
pub(super) fn note(dirty: Dirty) {
    POOL.note(dirty.pool);
    LARGE.note(dirty.large);
    TOTAL.note(dirty.total());
}

/// Milliseconds of a quarter of the decay time.
pub(super) fn quarter() -> u64 {
    (period().max(0) as u64 / 4).max(1)
}

/// Of `idle` bytes, those that go after `quarters` quarters without a look.
fn share(idle: u64, quarters: u64) -> u64 {
    if quarters >= ALL || idle <= REST { idle } else { idle / ALL * quarters }
}

/// Called now and then, with no lock held: does what is due. `files`: the kernel's files may be read. Says whether a decay time is over. Changes
/// errno.
pub(super) fn tick(files: bool) -> bool {
    let now = os::monotonic_ms();
    is_quarter_over(now) && CLOCK.try_lock().is_some_and(|mut clock| clock.tick(now, files))
}

fn is_quarter_over(now: u64) -> bool {
    period() >= 0 && now.saturating_sub(LAST.load(Ordering::Relaxed)) >= quarter()
}

/// In a child of fork, where who ticked may be gone.
pub(super) fn begin_in_child() {
    free_in_child(&CLOCK);
}

impl Clock {
    #[cold]
    fn tick(&mut self, now: u64, files: bool) -> bool {
        // Again: who had the clock just now may have done it.
        if !is_quarter_over(now) {
            return false;
        }
        let last = LAST.swap(now, Ordering::Relaxed);
        if last == 0 {
            self.whole = now;
            return false;
        }
        self.turn(now, last, files)
    }

    /// A quarter is over, or more of them. Says whether a whole decay time is.
    fn turn(&mut self, now: u64, last: u64, files: bool) -> bool {
        SETTLED.store(0, Ordering::Relaxed);
        let quarter = quarter();
        let quarters = (now - last).checked_div(quarter).unwrap_or(1);
        let dirty = Dirty::now();
        bound::take_back(dirty.total());
        peak::turn(quarters);
        let (pool, large) = (POOL.turn(dirty.pool, quarters), LARGE.turn(dirty.large, quarters));
        let idle = TOTAL.turn(dirty.total(), quarters);
        regret::settle();
        let earned = if period() == 0 { 0 } else { regret::earned() };
        let [pool, large] = spared([pool, large], earned).map(|idle| share(idle, quarters));
        if is_due(&mut self.half, now, 2 * quarter) {
            collect();
        }
        if !bound::is_kept(dirty) {
            let [pool, large, excess] = capped([pool, large, bound::idle_excess(idle)], dirty.total() - bound::kept());
            debt::owe(pool as usize, large as usize, excess as usize);
        }
        let over = is_due(&mut self.whole, now, 4 * quarter);
        if over {
            end_period(files);
        }
        over
    }
}

// A frame each, of which only one is there at a time: all this runs deep down in a call that has 1 KiB of stack.

/// Each half of a decay time.
#[inline(never)]
fn collect() {
    // Cooled by the next slow path that allocates: not here, deep down.
    heap::note_old();
    heap::forget_sent();
    heap::next_turn();
    heap::each_heap(|heap| heap.collect(false));
    heap::each_heap(Heap::be_leaner);
}

/// At the end of a decay time.
#[inline(never)]
fn end_period(files: bool) {
    COUNTS.decay.add(1);
    learn::next_epoch();
    regret::age();
    bound::age();
    idle::age();
    if files && (Dirty::now().total() > REST || profile::is_on()) && pressure::is_high() {
        profile::note(Occasion::Pressure);
        give_back(false, false);
    }
}

/// Whether `after` milliseconds have gone by since the last time it was due.
fn is_due(last: &mut u64, now: u64, after: u64) -> bool {
    let due = now.saturating_sub(*last) >= after;
    if due {
        *last = now;
    }
    due
}

/// Whether there is next to nothing that a tick would give back.
pub(super) fn is_clean(dirty: Dirty) -> bool {
    let is_little = dirty.total() <= REST && !span::are_holes_left() || bound::is_kept(dirty);
    is_little && !heap::was_sent() && heap::waiting() == 0
}

/// What is idle, without `earned` bytes in all.
fn spared(idle: [u64; 2], earned: u64) -> [u64; 2] {
    let mut left = earned;
    idle.map(|idle| {
        let stays = idle.min(left);
        left -= stays;
        idle - stays
    })
}

/// The shares, but `most` in all: the first ones whole, and nothing of what comes behind.
fn capped(shares: [u64; 3], most: u64) -> [u64; 3] {
    let mut left = most;
    shares.map(|share| {
        let given = share.min(left);
        left -= given;
        given
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_ticks_while_another_thread_does() {
        let clock = CLOCK.lock();
        LAST.store(1, Ordering::Relaxed);
        std::thread::scope(|scope| scope.spawn(|| tick(false)).join()).unwrap();
        assert_eq!(LAST.load(Ordering::Relaxed), 1);
        drop(clock);
        tick(false);
        assert_ne!(LAST.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_mark_is_what_stayed_over_two_quarters() {
        let mark = Mark::new();
        assert_eq!(mark.turn(100, 1), 0);
        mark.note(60);
        mark.note(90);
        assert_eq!(mark.turn(100, 1), 0, "the quarter before began with nothing");
        assert_eq!(mark.turn(100, 1), 60);
        assert_eq!(mark.turn(80, 1), 80, "what is gone is not idle");
        assert_eq!(mark.turn(200, 1), 80);
        assert_eq!(mark.turn(200, 2), 200, "a long quarter stands for itself");
        mark.note(0);
        assert_eq!(mark.turn(200, 9), 0);
    }

    #[test]
    fn what_was_earned_stays() {
        assert_eq!((spared([5, 6], 0), spared([5, 6], 7), spared([5, 6], 100)), ([5, 6], [0, 4], [0, 0]));
    }

    #[test]
    fn shares_are_cut_from_behind() {
        assert_eq!(capped([5, 6, 7], 100), [5, 6, 7]);
        assert_eq!((capped([5, 6, 7], 8), capped([5, 6, 7], 0)), ([5, 3, 0], [0, 0, 0]));
    }

    #[test]
    fn idle_bytes_dwindle_to_nothing() {
        const M: u64 = 1 << 20;
        assert_eq!((share(32 * M, 1), share(32 * M, 2), share(32 * M, 4)), (8 * M, 16 * M, 32 * M));
        assert_eq!((share(M, 1), share(0, 1), share(u64::MAX, u64::MAX)), (M, 0, u64::MAX));
        let mut left = 32 * M;
        let ticks = (0..).take_while(|_| (left > 0).then(|| left -= share(left, 1)).is_some()).count();
        assert!(ticks <= 15, "gone within four decay times: {ticks} quarters");
    }
}
