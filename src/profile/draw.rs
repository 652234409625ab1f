//! Which bytes are sampled, and how much a sample stands for. Whole numbers but for the weight; no libm, which others may replace.
//!
//! Every byte that is allocated is sampled with the same chance, apart from all others. So a block of `size` bytes is with
//! 1 - e^(-size / rate), whatever was allocated before, and stands for the reciprocal of that: summed, samples are unbiased.
#![forbid(unsafe_code)]

use crate::class::ClassId;

/// A stream of random numbers: xorshift64*, which hides nothing and need not.
pub(super) fn next(state: u64) -> (u64, u64) {
    let mut x = state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    (x, x.wrapping_mul(0x2545_F491_4F6C_DD1D))
}

/// ln 2, of which 64 bits stand behind the point.
const LN_2: u128 = 0xB172_17F7_D1CF_79AC;

/// Bytes that pass before the next sampled one, on average `rate`: exponential, rounded down, which makes each byte's chance the same.
pub(crate) fn gap(random: u64, rate: u64) -> u64 {
    if rate <= 1 {
        return 0;
    }
    // -log2 of a number between 0 and 1, with 32 bits behind the point.
    let number = random | 1;
    let zeros = number.leading_zeros();
    let mut mantissa = number << zeros;
    let mut log = 0_u64;
    for _ in 0..32 {
        // Between 1 and 2, with 63 bits behind the point: squared, the next bit of its logarithm is whether it reached 2.
        let square = (u128::from(mantissa) * u128::from(mantissa)) >> 63;
        let carry = (square >> 64) as u64;
        log = log << 1 | carry;
        mantissa = (square >> carry) as u64;
    }
    let halvings = (u64::from(zeros + 1) << 32) - log;
    let naturals = (u128::from(halvings) * LN_2) >> 64;
    ((naturals * u128::from(rate)) >> 32) as u64
}

/// What a sample stands for: objects, in units of 1/`OBJECT`, and bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Weight {
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
}

pub(crate) const OBJECT: u64 = 1 << 10;

/// Bytes that a block of `size` counts as: a tiny one as all that it has, since its class is what is known when it is served; one of none as one.
pub(crate) fn bytes(size: usize) -> usize {
    match ClassId::of(size) {
        Some(class) if class.is_tiny() => class.block_size(),
        _ => size,
    }
}

/// The weight of a sampled block of `size` bytes, at least 1.
pub(crate) fn weight(size: u64, rate: u64) -> Weight {
    let counted = bytes(size as usize) as f64;
    let objects = if rate <= 1 { 1.0 } else { 1.0 / chance(counted / rate as f64) };
    // Rounded by hand: `round` is libm's.
    let rounded = |value: f64| (value + 0.5) as u64;
    Weight { objects: rounded(objects * OBJECT as f64), bytes: rounded(objects * size as f64) }
}

/// 1 - e^-x, without the cancellation of writing it so.
fn chance(x: f64) -> f64 {
    if x > 40.0 {
        return 1.0;
    }
    let (mut small, mut doublings) = (x, 0);
    while small > 0.0625 {
        small *= 0.5;
        doublings += 1;
    }
    // The series' terms fall by 32 each at least: eight are more than a double holds.
    let (mut sum, mut term) = (0.0, -1.0);
    for n in 1..=9_u32 {
        term *= -small / f64::from(n);
        sum += term;
    }
    for _ in 0..doublings {
        sum *= 2.0 - sum;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chance_is_what_libm_says() {
        for x in [1e-9, 3e-5, 0.01, 0.0625, 0.07, 0.5, 1.0, 2.5, 9.0, 39.0, 41.0, 1e9] {
            let (ours, libms) = (chance(x), -f64::exp_m1(-x));
            assert!((ours / libms - 1.0).abs() < 1e-13, "{x}: {ours} {libms}");
        }
    }

    #[test]
    fn a_gap_is_what_a_logarithm_says() {
        let mut state = 0x1234_5678_9ABC_DEF1;
        for round in 0..10_000_u64 {
            let random;
            (state, random) = next(state);
            // Small numbers too, whose logarithm is long.
            let random = random >> (round % 60) | 1;
            let exact = -(random as f64 / 2f64.powi(64)).ln() * 524_288.0;
            assert!((gap(random, 524_288) as f64 - exact).abs() < 1.5, "{random:x}");
        }
        assert_eq!((gap(1, 1), gap(u64::MAX, 1), gap(u64::MAX, 4096)), (0, 0, 0));
    }

    /// Blocks of one size, as a meter samples them: how many there were, by their samples.
    fn estimate(size: u64, rate: u64, blocks: u64, mut state: u64) -> (f64, f64) {
        let (mut left, mut objects, mut bytes) = (0, 0, 0);
        let mut draw = || {
            let random;
            (state, random) = next(state);
            gap(random, rate)
        };
        left += draw();
        for _ in 0..blocks {
            let counted = super::bytes(size as usize) as u64;
            if counted <= left {
                left -= counted;
                continue;
            }
            let weight = weight(size, rate);
            (objects, bytes) = (objects + weight.objects, bytes + weight.bytes);
            left = draw();
        }
        (objects as f64 / OBJECT as f64, bytes as f64)
    }

    #[test]
    fn known_loads_come_out_within_their_errors() {
        for rate in [1, 4096, 524_288] {
            for size in [1, 16, 100, 4096, 40_000, 524_288, 4 << 20] {
                let blocks = (rate * 40 / size).clamp(200, 400_000);
                let chance = if rate == 1 { 1.0 } else { -f64::exp_m1(-(bytes(size as usize) as f64) / rate as f64) };
                // Of one run: each block's estimate is 1 / chance or nothing.
                let error = (blocks as f64 * (1.0 / chance - 1.0)).sqrt();
                let mut sum = 0.0;
                for seed in 1..=50_u64 {
                    let (objects, bytes) = estimate(size, rate, blocks, seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
                    assert!((objects - blocks as f64).abs() <= 4.5 * error + 1.0, "{rate} {size} {seed}: {objects}");
                    // Each sample's bytes are rounded to whole ones.
                    let rounded = 0.5 * objects * chance / size as f64;
                    assert!((bytes / size as f64 - objects).abs() <= 0.001 * objects + rounded + 1.0);
                    sum += objects;
                }
                let mean = sum / 50.0;
                assert!(
                    (mean - blocks as f64).abs() <= 3.0 * error / 50f64.sqrt() + 1.0,
                    "{rate} {size}: {mean} of {blocks}"
                );
            }
        }
    }
}
