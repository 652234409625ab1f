//! Rounding and runs of set bits: pure arithmetic.
#![forbid(unsafe_code)]

/// Rounds `n` up to a multiple of `to`, a power of two; `None` when that overflows.
pub(crate) const fn round_up(n: usize, to: usize) -> Option<usize> {
    match n.checked_add(to - 1) {
        Some(sum) => Some(sum & !(to - 1)),
        None => None,
    }
}

/// A mask of the `len` lowest bits, `len` in 1..=32.
pub(crate) const fn low_mask(len: u32) -> u32 {
    u32::MAX >> (32 - len)
}

/// The position of the lowest run of `len` set bits in `mask`, `len` in 1..=32.
pub(crate) fn find_run(mask: u32, len: u32) -> Option<u32> {
    let starts = run_starts(mask, len);
    (starts != 0).then(|| starts.trailing_zeros())
}

/// The positions from which on `len` bits of `mask` are set, `len` in 1..=32.
///
/// Each step folds the mask onto itself so that a surviving bit starts a run twice as long.
pub(crate) fn run_starts(mask: u32, len: u32) -> u32 {
    let mut starts = mask;
    let mut have = 1;
    while have < len {
        let step = have.min(len - have);
        starts &= starts >> step;
        have += step;
    }
    starts
}

/// Bits of the longest run of set bits in `mask`.
pub(crate) fn longest_run(mask: u32) -> u32 {
    let (mut left, mut len) = (mask, 0);
    while left != 0 {
        left &= left >> 1;
        len += 1;
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_up_stops_at_the_end_of_the_address_space() {
        assert_eq!(round_up(1, 16), Some(16));
        assert_eq!(round_up(0, 16), Some(0));
        assert_eq!(round_up(usize::MAX - 3, 16), None);
    }

    #[test]
    fn find_run_agrees_with_a_naive_search() {
        let mut x = 0x9E37_79B9u32;
        for _ in 0..20_000 {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            let mask = x | (x << 3);
            for len in 1..=32 {
                let naive = (0..=32 - len).find(|&at| (mask >> at) & low_mask(len) == low_mask(len));
                assert_eq!(find_run(mask, len), naive, "{mask:#b} {len}");
            }
            let longest = (1..=32).rfind(|&len| find_run(mask, len).is_some()).unwrap_or(0);
            assert_eq!(longest_run(mask), longest, "{mask:#b}");
        }
    }
}
