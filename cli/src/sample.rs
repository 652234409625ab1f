//! Figures of one kind from several rounds: median, spread, and whether two sets of them differ by more than noise.

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Spread {
    pub(crate) fn of(values: &[f64]) -> Option<Spread> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (*sorted.first()?, *sorted.last()?);
        let (left, right) = (sorted.get((sorted.len() - 1) / 2)?, sorted.get(sorted.len() / 2)?);
        Some(Spread { median: (left + right) / 2.0, low, high })
    }
}

/// How likely two sets this far apart are if nothing but chance sets them apart: Mann and Whitney's rank test, two-sided.
///
/// Ranks, because times of programs have long tails on one side. Exact up to 20 rounds; the normal curve beyond. Equal
/// figures count half, rounded towards "no difference".
pub(crate) fn chance(a: &[f64], b: &[f64]) -> f64 {
    let (m, n) = (a.len(), b.len());
    if m == 0 || n == 0 {
        return 1.0;
    }
    let wins: f64 = a
        .iter()
        .flat_map(|x| {
            b.iter().map(move |y| {
                if x < y {
                    1.0
                } else if x > y {
                    0.0
                } else {
                    0.5
                }
            })
        })
        .sum();
    let pairs = (m * n) as f64;
    let u = wins.min(pairs - wins).ceil();
    let tail = if m <= 20 && n <= 20 { exact_tail(m, n, u as usize) } else { normal_tail(m as f64, n as f64, u) };
    (2.0 * tail).min(1.0)
}

/// The share of all orders of m and n figures with a U of `u` or less.
fn exact_tail(m: usize, n: usize, u: usize) -> f64 {
    // counts[j][u]: orders of i and j figures with that U, by the recurrence on whose is the largest.
    let top = m * n + 1;
    let mut counts: Vec<Vec<f64>> = (0..=n).map(|_| unit(top)).collect();
    for i in 1..=m {
        let mut next = vec![unit(top)];
        for j in 1..=n {
            let (Some(without_a), Some(without_b)) = (counts.get(j), next.get(j - 1)) else { return 1.0 };
            // The largest is an `a`: it beats j figures of b. Or it is a `b`.
            let row = (0..top).map(|u| {
                let beaten = u.checked_sub(j).and_then(|u| without_a.get(u)).copied().unwrap_or(0.0);
                beaten + without_b.get(u).copied().unwrap_or(0.0)
            });
            let row = row.collect();
            next.push(row);
        }
        counts = next;
        let _ = i;
    }
    let Some(row) = counts.last() else { return 1.0 };
    row.iter().take(u + 1).sum::<f64>() / row.iter().sum::<f64>()
}

fn unit(length: usize) -> Vec<f64> {
    let mut row = vec![0.0; length];
    if let Some(first) = row.first_mut() {
        *first = 1.0;
    }
    row
}

fn normal_tail(m: f64, n: f64, u: f64) -> f64 {
    let deviation = (m * n * (m + n + 1.0) / 12.0).sqrt();
    let z = (u + 0.5 - m * n / 2.0) / deviation;
    if z >= 0.0 { 0.5 } else { half_erfc(-z / std::f64::consts::SQRT_2) }
}

/// erfc(x) / 2 for x >= 0: Abramowitz and Stegun 7.1.26, right to 1.5e-7.
fn half_erfc(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let poly =
        t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    poly * (-x * x).exp() / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_spreads() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, low: 1.0, high: 3.0 }));
        assert_eq!(Spread::of(&[4.0, 1.0]).map(|s| s.median), Some(2.5));
    }

    #[test]
    fn chance_agrees_with_the_tables() {
        let low: Vec<f64> = (0..5).map(f64::from).collect();
        let high: Vec<f64> = (10..15).map(f64::from).collect();
        // 2 / C(10, 5), and 2 / C(6, 3).
        assert!((chance(&low, &high) - 2.0 / 252.0).abs() < 1e-12);
        assert!((chance(&low[..3], &high[..3]) - 0.1).abs() < 1e-12);
        // One overlap: U = 1, two orders of 252.
        assert!((chance(&[0.0, 1.0, 2.0, 3.0, 10.5], &high) - 4.0 / 252.0).abs() < 1e-12);
        assert_eq!(chance(&low, &low), 1.0);
        assert_eq!(chance(&[], &low), 1.0);
        assert_eq!(chance(&[1.0; 30], &[1.0; 30]), 1.0);
        let many: Vec<f64> = (0..30).map(f64::from).collect();
        let later: Vec<f64> = (15..45).map(f64::from).collect();
        let p = chance(&many, &later);
        assert!(p > 1e-9 && p < 1e-4, "{p}");
    }
}
