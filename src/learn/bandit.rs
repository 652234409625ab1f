//! UCB1 (Auer, Cesa-Bianchi and Fischer, 2002) over a few arms, in whole numbers: the same choices on every machine.
#![forbid(unsafe_code)]

/// A reward of one. Rewards lie in 0..=ONE.
pub(super) const ONE: u64 = 1 << 16;
/// Part of UCB1's bonus that counts: rewards here differ by tenths, and trying costs.
const BONUS_PART: u64 = 4;
/// Pulls after which the past counts half: programs change.
const MEMORY: u64 = 64;

#[derive(Clone, Copy, Default)]
struct Arm {
    pulls: u64,
    sum: u64,
}

pub(super) struct Bandit<const N: usize>([Arm; N]);

/// The natural logarithm in 1/65536, interpolated between powers of two: at most 6 % off.
fn ln(n: u64) -> u64 {
    const LN2: u64 = 45_426;
    let Some(log) = n.checked_ilog2() else { return 0 };
    let fraction = ((n << 16) >> log) - ONE;
    ((log as u64 * ONE + fraction) * LN2) >> 16
}

impl<const N: usize> Bandit<N> {
    pub(super) const fn new() -> Self {
        Bandit([Arm { pulls: 0, sum: 0 }; N])
    }

    pub(super) fn reward(&mut self, arm: usize, reward: u64) {
        if let Some(arm) = self.0.get_mut(arm) {
            arm.pulls += 1;
            arm.sum += reward.min(ONE);
        }
        if self.pulls() >= MEMORY {
            for arm in &mut self.0 {
                let mean = arm.sum.checked_div(arm.pulls).unwrap_or(0);
                arm.pulls = arm.pulls.div_ceil(2);
                arm.sum = mean * arm.pulls;
            }
        }
    }

    /// The mean reward of an arm pulled `least` times or more.
    pub(super) fn mean(&self, arm: usize, least: u64) -> Option<u64> {
        let arm = self.0.get(arm)?;
        if arm.pulls < least { None } else { arm.sum.checked_div(arm.pulls) }
    }

    /// The arm to pull next among those that `may`: one never pulled, else the one of the highest bound.
    pub(super) fn choose(&self, may: impl Fn(usize) -> bool) -> usize {
        let ln = ln(self.pulls().max(1));
        let bound = |arm: &Arm| match (2 * ln * ONE).checked_div(arm.pulls) {
            Some(square) => arm.sum.checked_div(arm.pulls).unwrap_or(0) + square.isqrt() / BONUS_PART,
            None => u64::MAX,
        };
        let mut best = (0, 0);
        for (index, arm) in self.0.iter().enumerate().filter(|(index, _)| may(*index)) {
            let bound = bound(arm);
            if bound > best.1 {
                best = (index, bound);
            }
        }
        best.0
    }

    fn pulls(&self) -> u64 {
        self.0.iter().map(|arm| arm.pulls).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_near_enough() {
        for n in [1u64, 2, 3, 7, 64, 1000, 1 << 40] {
            let (got, want) = (ln(n) as f64 / ONE as f64, (n as f64).ln());
            assert!((got - want).abs() <= 0.06 * want.max(1.0), "ln {n}: {got} {want}");
        }
    }

    #[test]
    fn the_best_arm_is_pulled_most_and_found_again_when_it_changes() {
        let mut bandit = Bandit::<3>::new();
        let mut pulls = |means: [u64; 3], rounds: u64| {
            let mut count = [0u64; 3];
            for round in 0..rounds {
                let arm = bandit.choose(|_| true);
                count[arm] += 1;
                // Noise of a tenth either way, the same in each run.
                bandit.reward(arm, means[arm] * ONE / 10 + round * 7919 % 11 * ONE / 100 - ONE / 20);
            }
            count
        };
        let first = pulls([3, 8, 5], 300);
        assert!(first[1] > 200, "{first:?}");
        let then = pulls([8, 3, 5], 300);
        assert!(then[0] > 150, "{then:?}");
    }

    #[test]
    fn a_barred_arm_is_not_chosen() {
        let mut bandit = Bandit::<3>::new();
        for _ in 0..50 {
            let arm = bandit.choose(|arm| arm != 1);
            assert_ne!(arm, 1);
            bandit.reward(arm, ONE / 2);
        }
    }
}
