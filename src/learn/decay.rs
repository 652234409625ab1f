//! How slowly idle memory below the bound goes: slower where a program soon takes again what was purged, faster where it
//! does not. What is above the bound is no matter of this: that is the contract's.
//!
//! Time is cut into windows of `WINDOW` default decay times. Each runs with one arm, and costs what its page faults cost
//! and what the idle memory is worth that it kept. UCB1 picks the arms.
//!
//! | state   | arm in force        | leaves by                                                              |
//! |---------|---------------------|------------------------------------------------------------------------|
//! | trying  | UCB1's choice       | an arm is cheaper than the default by a tenth → canary                  |
//! | canary  | that arm            | `CANARY` windows later: still cheaper → adopted; else barred → trying   |
//! | adopted | that arm, UCB1's every eighth window | no longer cheaper → trying                             |
//! | any     |                     | `QUIET` windows with nothing to purge → the default, all forgotten      |
#![forbid(unsafe_code)]

use super::bandit::{Bandit, ONE};
use super::policy;
use crate::config;
use crate::os::lock::Mutex;

/// Quarters of `HAKMEM_DECAY_MS` in which idle memory goes, to choose from; the first is the default.
pub(super) const QUARTERS: [u64; ARMS] = [4, 1, 16];
const ARMS: usize = 3;
const DEFAULT: usize = 0;
/// Default decay times in a window: twice the longest arm.
const WINDOW: u64 = 8;
const CANARY: u32 = 3;
/// Windows for which an arm that failed its canary is not tried.
const BARRED: u32 = 64;
const QUIET: u32 = 4;
/// Pulls of an arm before its mean counts.
const LEAST: u64 = 3;
const RETRY: u32 = 8;

/// What a page fault costs, in nanoseconds (measured here: 2 to 4 µs).
const FAULT_NS: u64 = 2_500;
const PAGE: u64 = 4096;
/// What a MiB kept for a second is worth, in nanoseconds: 32 MiB for a second, the smallest bound, are worth 5 ms.
const MIB_SECOND_NS: u64 = 156_000;
/// The cost that makes a reward of zero, in nanoseconds a second.
const WORST_NS: u64 = 40_000_000;

/// What happened in one decay time.
#[derive(Clone, Copy, Default)]
pub(crate) struct Period {
    pub(crate) ms: u64,
    /// Bytes that decay gave back below the bound.
    pub(crate) purged: u64,
    /// Bytes that were taken without old pages in them; for `observe`, all that ever were.
    pub(crate) fresh: u64,
    /// Bytes that are dirty at its end.
    pub(crate) dirty: u64,
}

/// What the learner did, for who wants to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Decision {
    Adopted { arm: usize, cost: u64, default_cost: u64 },
    Dropped { arm: usize, cost: u64, default_cost: u64 },
    Forgotten { arm: usize },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Trying,
    Canary(u32),
    Adopted,
}

struct Learner {
    bandit: Bandit<ARMS>,
    state: State,
    /// The arm in force, and the one that is being proved or was.
    arm: usize,
    chosen: usize,
    barred: [u32; ARMS],
    windows: u32,
    quiet: u32,
    window: Period,
    /// Bytes dirty, times milliseconds.
    dirty_ms: u64,
    /// Purged in the window, or still missed from one before.
    missing: u64,
    faulted: u64,
    seen_fresh: u64,
}

static LEARNER: Mutex<Learner> = Mutex::new(Learner::new());

impl Learner {
    const fn new() -> Learner {
        Learner {
            bandit: Bandit::new(),
            state: State::Trying,
            arm: DEFAULT,
            chosen: DEFAULT,
            barred: [0; ARMS],
            windows: 0,
            quiet: 0,
            window: Period { ms: 0, purged: 0, fresh: 0, dirty: 0 },
            dirty_ms: 0,
            missing: 0,
            faulted: 0,
            seen_fresh: 0,
        }
    }

    /// Begins with a policy that was given.
    fn start(&mut self, quarters: u64) {
        if let Some(arm) = QUARTERS.iter().position(|arm| *arm == quarters).filter(|arm| *arm != DEFAULT) {
            (self.state, self.arm, self.chosen) = (State::Adopted, arm, arm);
        }
    }

    /// Takes in one period; at the end of a window it may decide.
    fn step(&mut self, period: Period, base_ms: u64) -> Option<Decision> {
        // Fresh memory is a price of purging only as far as something had been purged.
        let faulted = period.fresh.min(self.missing);
        self.missing = self.missing - faulted + period.purged;
        self.faulted += faulted;
        self.dirty_ms += period.dirty.saturating_mul(period.ms);
        self.window.ms += period.ms;
        self.window.purged += period.purged;
        if self.window.ms < WINDOW * base_ms {
            return None;
        }
        let ms = self.window.ms;
        let cost = cost_per_second(self.faulted, self.dirty_ms, ms);
        // Memory that stays dirty and is not purged is in use now and then.
        let quiet = self.window.purged == 0 && self.faulted == 0 && self.dirty_ms < ms << 20;
        self.window = Period::default();
        (self.dirty_ms, self.faulted) = (0, 0);
        self.missing /= 2;
        self.close(cost, quiet)
    }

    fn close(&mut self, cost: u64, quiet: bool) -> Option<Decision> {
        self.windows = self.windows.wrapping_add(1);
        self.quiet = if quiet { self.quiet + 1 } else { 0 };
        if quiet {
            if self.quiet < QUIET {
                return None;
            }
            let (arm, windows) = (self.arm, self.windows);
            *self = Learner { windows, seen_fresh: self.seen_fresh, ..Learner::new() };
            return (arm != DEFAULT).then_some(Decision::Forgotten { arm });
        }
        self.bandit.reward(self.arm, ONE - (cost.min(WORST_NS) * ONE).checked_div(WORST_NS).unwrap_or(ONE));
        self.barred.iter_mut().for_each(|barred| *barred = barred.saturating_sub(1));
        match self.state {
            State::Trying => {
                match self.cheapest() {
                    Some(arm) => (self.state, self.arm, self.chosen) = (State::Canary(0), arm, arm),
                    None => self.arm = self.next(),
                }
                None
            }
            State::Canary(windows) if windows + 1 < CANARY => {
                self.state = State::Canary(windows + 1);
                None
            }
            State::Canary(_) => Some(self.judge()),
            State::Adopted if self.is_dearer(self.chosen) => Some(self.judge()),
            State::Adopted => {
                let retry = self.windows % RETRY == 0;
                self.arm = if retry { self.next() } else { self.chosen };
                None
            }
        }
    }

    /// Adopts the chosen arm, or bars it.
    fn judge(&mut self) -> Decision {
        let (arm, cost, default_cost) = (self.chosen, self.cost(self.chosen), self.cost(DEFAULT));
        if self.is_cheaper(arm) {
            self.state = State::Adopted;
            return Decision::Adopted { arm, cost, default_cost };
        }
        if let Some(barred) = self.barred.get_mut(arm) {
            *barred = BARRED;
        }
        (self.state, self.arm, self.chosen) = (State::Trying, DEFAULT, DEFAULT);
        Decision::Dropped { arm, cost, default_cost }
    }

    fn next(&self) -> usize {
        self.bandit.choose(|arm| self.barred.get(arm) == Some(&0))
    }

    /// The arm that is cheapest and cheaper than the default, once each was tried often enough.
    fn cheapest(&self) -> Option<usize> {
        (0..ARMS)
            .filter(|arm| self.barred.get(*arm) == Some(&0) && self.is_cheaper(*arm))
            .min_by_key(|arm| self.cost(*arm))
    }

    fn is_cheaper(&self, arm: usize) -> bool {
        arm != DEFAULT && self.is_known(arm) && self.cost(arm) * 10 < self.cost(DEFAULT) * 9
    }

    fn is_dearer(&self, arm: usize) -> bool {
        self.is_known(arm) && !self.is_cheaper(arm)
    }

    /// Whether the arm and the default were tried often enough of late.
    fn is_known(&self, arm: usize) -> bool {
        [arm, DEFAULT].iter().all(|arm| self.bandit.mean(*arm, LEAST).is_some())
    }

    /// Nanoseconds a second, as far as known.
    fn cost(&self, arm: usize) -> u64 {
        self.bandit.mean(arm, 1).map_or(0, |mean| (ONE - mean) * WORST_NS / ONE)
    }
}

fn cost_per_second(faulted: u64, dirty_ms: u64, ms: u64) -> u64 {
    let faults = faulted / PAGE * FAULT_NS;
    let kept = (dirty_ms >> 20).saturating_mul(MIB_SECOND_NS) / 1000;
    ((faults + kept) * 1000).checked_div(ms).unwrap_or(0)
}

/// Takes in what happened in the last decay time, and publishes the quarters for the next one. Any thread, no lock held.
pub(crate) fn observe(period: Period) {
    let base = config::get::decay_ms();
    if !super::is_on() || base <= 0 {
        return;
    }
    // Whoever finds it busy leaves its period out.
    let Some(mut learner) = LEARNER.try_lock() else { return };
    let fresh = period.fresh.saturating_sub(learner.seen_fresh);
    learner.seen_fresh = period.fresh;
    if learner.windows == 0 && learner.window.ms == 0 {
        learner.start(policy::decay_quarters());
    }
    let decision = learner.step(Period { fresh, ..period }, base as u64);
    let quarters = QUARTERS.get(learner.arm).copied();
    drop(learner);
    policy::set_decay_quarters(quarters.unwrap_or(QUARTERS[DEFAULT]));
    if let Some(decision) = decision {
        tell(decision);
    }
}

fn tell(decision: Decision) {
    let (what, arm, costs) = match decision {
        Decision::Adopted { arm, cost, default_cost } => ("adopted", arm, Some((cost, default_cost))),
        Decision::Dropped { arm, cost, default_cost } => ("dropped", arm, Some((cost, default_cost))),
        Decision::Forgotten { arm } => ("dropped, there was nothing to purge", arm, None),
    };
    policy::log(|text| {
        text.str("decay ").num(QUARTERS.get(arm).copied().unwrap_or(0)).str(" ").str(what);
        if let Some((cost, default_cost)) = costs {
            text.str(": costs ").num(cost / 1000).str(" us a second, the default ").num(default_cost / 1000);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: u64 = 1000;

    /// A program that frees `bytes` and takes them again every `every` ms, `total` ms long, run against the learner as
    /// the purge would: what is idle for the arm's decay time goes. Returns decisions, and bytes faulted again.
    fn bursts(learner: &mut Learner, every: u64, bytes: u64, total: u64) -> (std::vec::Vec<Decision>, u64) {
        let (mut decisions, mut faulted) = (std::vec::Vec::new(), 0);
        let (mut dirty, mut idle_since, mut last, mut fresh) = (bytes, 0, 0, 0);
        for now in (0..total).step_by(50) {
            if now % every == 0 {
                fresh += bytes - dirty;
                faulted += bytes - dirty;
                (dirty, idle_since) = (bytes, now);
            }
            let decay = QUARTERS[learner.arm] * BASE / 4;
            if now - last >= decay {
                let purged = if now - idle_since >= decay { dirty } else { 0 };
                dirty -= purged;
                let period = Period { ms: now - last, purged, fresh, dirty };
                (last, fresh) = (now, 0);
                decisions.extend(learner.step(period, BASE));
            }
        }
        (decisions, faulted)
    }

    #[test]
    fn bursts_two_seconds_apart_keep_their_memory() {
        let mut learner = Learner::new();
        let (decisions, _) = bursts(&mut learner, 2000, 24 << 20, 600_000);
        assert!(matches!(decisions.first(), Some(Decision::Adopted { arm: 2, .. })), "{decisions:?}");
        let (_, later) = bursts(&mut learner, 2000, 24 << 20, 600_000);
        // Tries of other arms are all that is left of 300 bursts of 24 MiB.
        assert!(later < 60 * (24 << 20), "{}", later >> 20);
    }

    #[test]
    fn a_program_that_never_comes_back_keeps_nothing_longer() {
        let mut learner = Learner::new();
        bursts(&mut learner, 60_000, 24 << 20, 3_000_000);
        assert_ne!(learner.chosen, 2);
    }

    #[test]
    fn without_a_signal_the_default_returns() {
        let mut learner = Learner::new();
        bursts(&mut learner, 2000, 24 << 20, 600_000);
        assert_eq!(learner.chosen, 2);
        let quiet = Period { ms: 4000, ..Period::default() };
        let decisions: std::vec::Vec<_> = (0..20).filter_map(|_| learner.step(quiet, BASE)).collect();
        assert_eq!(decisions, [Decision::Forgotten { arm: 2 }]);
        assert_eq!((learner.arm, learner.chosen), (DEFAULT, DEFAULT));
    }

    #[test]
    fn the_same_events_give_the_same_decisions() {
        let run = || bursts(&mut Learner::new(), 1700, 20 << 20, 900_000);
        assert_eq!(run().0, run().0);
    }

    #[test]
    fn when_the_program_changes_the_arm_is_dropped() {
        let mut learner = Learner::new();
        bursts(&mut learner, 2000, 24 << 20, 600_000);
        assert_eq!(learner.chosen, 2);
        let (decisions, _) = bursts(&mut learner, 20_000, 24 << 20, 6_000_000);
        assert!(decisions.iter().any(|decision| matches!(decision, Decision::Dropped { arm: 2, .. })), "{decisions:?}");
    }
}
