//! `Random`: ChaCha8, a stream that nobody can continue who has seen some of it. A block of it is 64 choices.
#![forbid(unsafe_code)]

const ROUNDS: usize = 8;
/// Of each block, the bytes that are handed out; the rest becomes the next key, so that what was is forgotten.
const OUT: usize = 32;

/// # Invariants
/// - G1: `out[used..OUT]` were never handed out.
pub(super) struct Random {
    key: [u32; 8],
    out: [u8; OUT],
    used: usize,
}

impl Random {
    pub(super) fn seeded(seed: [u64; 4]) -> Random {
        let mut random = Random { key: [0; 8], out: [0; OUT], used: OUT };
        for (pair, word) in random.key.chunks_exact_mut(2).zip(seed) {
            for (half, bits) in pair.iter_mut().zip([word as u32, (word >> 32) as u32]) {
                *half = bits;
            }
        }
        random
    }

    /// A number below `bound`, which is at most 256.
    #[inline(always)]
    pub(super) fn below(&mut self, bound: usize) -> usize {
        if self.used >= OUT {
            self.stir();
        }
        let byte = self.out.get(self.used).copied().unwrap_or(0);
        self.used += 1;
        (byte as usize * bound) >> 8
    }

    #[cold]
    #[inline(never)]
    fn stir(&mut self) {
        let block = chacha(&self.key);
        for (word, key) in block.iter().zip(&mut self.key) {
            *key = *word;
        }
        for (word, bytes) in block.iter().skip(8).zip(self.out.chunks_exact_mut(4)) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        self.used = 0;
    }
}

/// One block for `key`, counter and nonce 0: the key is never used again.
fn chacha(key: &[u32; 8]) -> [u32; 16] {
    let [k0, k1, k2, k3, k4, k5, k6, k7] = *key;
    let start = [0x6170_7865, 0x3320_646E, 0x7962_2D32, 0x6B20_6574, k0, k1, k2, k3, k4, k5, k6, k7, 0, 0, 0, 0];
    let mut x = start;
    for _ in 0..ROUNDS / 2 {
        x = quarters(x, [0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]);
        x = quarters(x, [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]);
    }
    for (word, first) in x.iter_mut().zip(start) {
        *word = word.wrapping_add(first);
    }
    x
}

#[inline(always)]
fn quarters(mut x: [u32; 16], p: [usize; 4], q: [usize; 4], r: [usize; 4], s: [usize; 4]) -> [u32; 16] {
    for [a, b, c, d] in [p, q, r, s] {
        // Constant places: masked so that the compiler sees it even where it does not unroll.
        let (a, b, c, d) = (a & 15, b & 15, c & 15, d & 15);
        for (turn, again) in [(16, 12), (8, 7)] {
            x[a] = x[a].wrapping_add(x[b]);
            x[d] = (x[d] ^ x[a]).rotate_left(turn);
            x[c] = x[c].wrapping_add(x[d]);
            x[b] = (x[b] ^ x[c]).rotate_left(again);
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_is_chacha8s() {
        // draft-strombergson-chacha-test-vectors-01, TC1 for 256-bit keys, 8 rounds: the first words of the zero key's stream.
        let block = chacha(&[0; 8]);
        let bytes: std::vec::Vec<u8> = block.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(
            bytes[..16],
            [0x3E, 0x00, 0xEF, 0x2F, 0x89, 0x5F, 0x40, 0xD6, 0x7F, 0x5B, 0xB8, 0xE8, 0x1F, 0x09, 0xA5, 0xA1]
        );
    }

    #[test]
    fn numbers_are_below_the_bound_and_spread() {
        let mut random = Random::seeded([1, 2, 3, 4]);
        for bound in [1, 2, 7, 127] {
            let mut seen = [0u32; 127];
            for _ in 0..bound * 200 {
                seen[random.below(bound)] += 1;
            }
            assert!(seen[..bound].iter().all(|&count| (100..300).contains(&count)), "{bound}: {seen:?}");
            assert!(seen[bound..].iter().all(|&count| count == 0));
        }
    }
}
