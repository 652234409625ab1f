//! "Which allocator should my program use?", answered as far as the figures go.

use crate::peers::SYSTEM;
use crate::sample::{Spread, chance};
use crate::units;

/// One allocator's rounds.
pub(crate) struct Candidate<'a> {
    pub(crate) name: &'a str,
    pub(crate) time: Vec<f64>,
    pub(crate) cpu: Vec<f64>,
    pub(crate) memory: Vec<f64>,
}

/// Differences that chance makes in less than one comparison of twenty count, all comparisons together.
const CHANCE: f64 = 0.05;
/// And smaller ones don't, however sure they are.
const LEAST: f64 = 0.01;
/// A program this short spends its time starting.
const SHORT_S: f64 = 0.01;

pub(crate) fn verdict(candidates: &[Candidate]) -> String {
    let measured: Vec<&Candidate> = candidates.iter().filter(|one| !one.time.is_empty()).collect();
    let Some(system) = measured.iter().copied().find(|one| one.name == SYSTEM) else {
        return "The program did not run on the system's malloc: there is nothing to compare with.".to_owned();
    };
    if measured.len() < 2 {
        return "Nothing was measured beside the system's malloc.".to_owned();
    }
    let judge = Judge { comparisons: measured.len() - 1 };
    let rounds = measured.iter().map(|one| one.time.len()).min().unwrap_or(0);
    if !judge.can_tell(rounds) {
        let needed = (1..100).find(|&rounds| judge.can_tell(rounds)).unwrap_or(100);
        let shown = if rounds == 1 { "One round is".to_owned() } else { format!("{rounds} rounds are") };
        return format!("{shown} too few to tell a difference from noise: use -n {needed} or more.");
    }
    let mut text = judge.choose(system, &measured);
    text += &caution(system);
    text
}

/// What makes the figures weak.
fn caution(system: &Candidate) -> String {
    let mut text = String::new();
    if let Some(time) = Spread::of(&system.time) {
        if time.median < SHORT_S {
            text += &format!(" The program ends within {}: much of that is starting up.", units::seconds(time.median));
        }
        let width = (time.high - time.low) / time.median;
        if width > 0.2 {
            text += &format!(
                " The machine was not quiet: the rounds on the system's malloc lie {:.0} % apart; more rounds (-n) tell more.",
                width * 100.0
            );
        }
    }
    text
}

struct Judge {
    comparisons: usize,
}

impl Judge {
    fn limit(&self) -> f64 {
        CHANCE / self.comparisons as f64
    }

    /// Whether so many rounds could show any difference at all.
    fn can_tell(&self, rounds: usize) -> bool {
        chance(&vec![0.0; rounds], &vec![1.0; rounds]) <= self.limit()
    }

    /// Whether `a` is below `b` by more than noise.
    fn below(&self, a: &[f64], b: &[f64]) -> bool {
        ratio(a, b) <= 1.0 - LEAST && chance(a, b) <= self.limit()
    }

    fn faster(&self, a: &Candidate, b: &Candidate) -> bool {
        self.below(&a.time, &b.time)
    }

    fn smaller(&self, a: &Candidate, b: &Candidate) -> bool {
        self.below(&a.memory, &b.memory)
    }

    fn choose(&self, system: &Candidate, all: &[&Candidate]) -> String {
        let Some(quickest) = least(all, |one| &one.time) else { return String::new() };
        // Those whom none is sure to beat in time; of them the one that takes the least memory.
        let fast: Vec<&Candidate> = all.iter().copied().filter(|one| !self.faster(quickest, one)).collect();
        let Some(mut pick) = least(&fast, |one| &one.memory) else { return String::new() };
        let system_is_fast = fast.iter().any(|one| one.name == SYSTEM);
        if system_is_fast && !self.smaller(pick, system) {
            pick = system; // what is there already, unless another is better
        }
        let mut text = if pick.name == SYSTEM {
            "Stay with the system's malloc: no other is faster by more than the noise".to_owned()
                + if all.iter().any(|one| self.smaller(one, system)) { "." } else { ", or takes less memory." }
        } else {
            format!("Use {}: {}, {}.", pick.name, self.time(pick, system), self.memory(pick, system))
        };
        let equals: Vec<&str> = fast
            .iter()
            .map(|one| one.name)
            .filter(|&name| name != pick.name && (name != SYSTEM || pick.name != SYSTEM))
            .collect();
        if !equals.is_empty() && pick.name != SYSTEM {
            text += &format!(" As fast within the noise: {}.", equals.join(", "));
        }
        if let Some(lean) =
            least(all, |one| &one.memory).filter(|lean| lean.name != pick.name && self.smaller(lean, pick))
        {
            let more = units::change(ratio(&lean.time, &pick.time));
            let less = units::change(ratio(&lean.memory, &pick.memory));
            let name = if lean.name == SYSTEM { "the system's malloc" } else { lean.name };
            text += &format!(
                " If memory counts for more: {name} takes {less} of it than {}, and {more} time.",
                shown(pick.name)
            );
        }
        text + &self.cpu(pick, all)
    }

    /// CPU time tells more than the clock does where others use the machine too, or much of the time is waiting.
    fn cpu(&self, pick: &Candidate, all: &[&Candidate]) -> String {
        match least(all, |one| &one.cpu) {
            Some(thrifty) if self.below(&thrifty.cpu, &pick.cpu) => {
                let less = units::change(ratio(&thrifty.cpu, &pick.cpu));
                let name = if thrifty.name == SYSTEM { "the system's malloc" } else { thrifty.name };
                format!(" By CPU time {name} does best: {less} of it than {}.", shown(pick.name))
            }
            _ => String::new(),
        }
    }

    fn time(&self, one: &Candidate, system: &Candidate) -> String {
        let ratio = ratio(&one.time, &system.time);
        if self.faster(one, system) {
            format!("{} time than the system's malloc", units::change(ratio))
        } else {
            "the same time as the system's malloc within the noise".to_owned()
        }
    }

    fn memory(&self, one: &Candidate, system: &Candidate) -> String {
        if self.smaller(one, system) || self.smaller(system, one) {
            format!("{} memory at its peak", units::change(ratio(&one.memory, &system.memory)))
        } else {
            "the same memory at its peak within the noise".to_owned()
        }
    }
}

fn shown(name: &str) -> &str {
    if name == SYSTEM { "the system's" } else { name }
}

fn least<'a, 'b>(all: &[&'a Candidate<'b>], figures: fn(&'a Candidate<'b>) -> &'a [f64]) -> Option<&'a Candidate<'b>> {
    let median = |one: &&'a Candidate<'b>| Spread::of(figures(one)).map_or(f64::INFINITY, |spread| spread.median);
    all.iter().copied().min_by(|a, b| median(a).total_cmp(&median(b)))
}

fn ratio(a: &[f64], b: &[f64]) -> f64 {
    match (Spread::of(a), Spread::of(b)) {
        (Some(a), Some(b)) if b.median > 0.0 => a.median / b.median,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, time: f64, memory: f64, rounds: usize) -> Candidate<'_> {
        // Rounds spread over 2 %.
        let spread = |middle: f64| (0..rounds).map(|i| middle * (1.0 + 0.02 * i as f64 / rounds as f64)).collect();
        Candidate { name, time: spread(time), cpu: spread(time), memory: spread(memory) }
    }

    #[test]
    fn a_difference_within_the_noise_is_called_so() {
        let text = verdict(&[of("system", 1.0, 100.0, 5), of("hakmem", 0.995, 99.9, 5)]);
        assert!(
            text.starts_with("Stay with the system's malloc: no other is faster by more than the noise, or takes less"),
            "{text}"
        );
    }

    #[test]
    fn the_fastest_is_named_whoever_it_is() {
        let text = verdict(&[of("system", 1.0, 100.0, 5), of("hakmem", 0.9, 100.0, 5), of("jemalloc", 0.8, 150.0, 5)]);
        assert!(text.starts_with("Use jemalloc: 20 % less time than the system's malloc, 50 % more memory"), "{text}");
        assert!(text.contains("If memory counts for more:"), "{text}");
    }

    #[test]
    fn of_the_fast_ones_the_smallest_is_chosen() {
        let text = verdict(&[of("system", 1.0, 100.0, 5), of("a", 0.8, 90.0, 5), of("b", 0.801, 60.0, 5)]);
        assert!(text.starts_with("Use b: 20 % less time"), "{text}");
        assert!(
            text.contains("40 % less memory at its peak.") && text.contains("As fast within the noise: a."),
            "{text}"
        );
    }

    #[test]
    fn cpu_time_is_told_where_the_clock_sees_no_difference() {
        let mut thrifty = of("hakmem", 1.0, 100.0, 5);
        thrifty.cpu.iter_mut().for_each(|cpu| *cpu *= 0.7);
        let text = verdict(&[of("system", 1.0, 100.0, 5), thrifty]);
        assert!(text.contains("By CPU time hakmem does best: 30 % less of it than the system's."), "{text}");
    }

    #[test]
    fn too_few_rounds_are_called_so() {
        for rounds in 1..4 {
            let text = verdict(&[of("system", 1.0, 100.0, rounds), of("hakmem", 0.1, 10.0, rounds)]);
            assert!(text.contains("too few") && text.contains("-n 4"), "{rounds}: {text}");
        }
        assert!(verdict(&[of("hakmem", 1.0, 1.0, 5)]).contains("nothing to compare"));
        assert!(verdict(&[of("system", 1.0, 1.0, 5)]).contains("Nothing was measured"));
    }

    #[test]
    fn a_restless_machine_and_a_short_program_are_mentioned() {
        let mut system = of("system", 1e-3, 100.0, 5);
        system.time[4] = 2e-3;
        let text = verdict(&[system, of("hakmem", 1e-3, 100.0, 5)]);
        assert!(text.contains("starting up") && text.contains("not quiet"), "{text}");
    }
}
