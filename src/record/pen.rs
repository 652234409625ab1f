//! `Pen`: writes numbers, seven bits a byte, the lowest first (LEB128).

use crate::base::addr::Addr;

/// # Invariants
/// - N1: from `at` on there is room for what is still written, and `BEHIND` bytes: `new`'s caller counted an event's numbers.
pub(super) struct Pen {
    start: Addr,
    at: *mut u8,
}

impl Pen {
    /// # Safety
    /// At `at` is room for all numbers that are put, ten bytes each at most, and for `BEHIND` bytes, all of them zero and the caller's.
    #[inline(always)]
    pub(super) unsafe fn new(at: Addr) -> Pen {
        Pen { start: at, at: at.as_ptr() }
    }

    /// For tests: over room that is there.
    #[cfg(test)]
    pub(super) fn over(room: &mut [u8]) -> Pen {
        // SAFETY: the test's room is an event's.
        unsafe { Pen::new(Addr::of(room.as_mut_ptr())) }
    }

    /// Bytes behind what is written that may be written too, with zeroes.
    pub(super) const BEHIND: usize = 3;

    /// Up to 28 bits, which is most numbers, without a jump for each byte.
    #[inline(always)]
    pub(super) fn put(&mut self, number: u64) {
        if number >= 1 << 28 {
            return self.put_long(number);
        }
        let number = number as u32;
        let spread = number & 0x7F | (number & 0x3F80) << 1 | (number & 0x1F_C000) << 2 | (number & 0xFE0_0000) << 3;
        // The bit of the last byte that is needed, and all further-on marks below it.
        let last = (31 - (spread | 1).leading_zeros()) & !7;
        let marks = 0x8080_8080 & ((1_u32 << last) - 1);
        // SAFETY: N1, and what is behind it is nobody's yet.
        unsafe { self.at.cast::<u32>().write_unaligned((spread | marks).to_le()) };
        self.at = self.at.wrapping_add(1 + last as usize / 8);
    }

    #[cold]
    #[inline(never)]
    fn put_long(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    #[inline(always)]
    fn byte(&mut self, byte: u8) {
        // SAFETY: N1.
        unsafe { self.at.write(byte) };
        self.at = self.at.wrapping_add(1);
    }

    /// Bytes written.
    #[inline(always)]
    pub(super) fn written(&self) -> usize {
        Addr::of(self.at).since(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_leb128_has_them_and_nothing_is_left_behind_them() {
        let mut numbers = vec![0, 1, 100, 127, 128, 300, u64::MAX];
        numbers.extend((0..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) | 1]));
        for number in numbers {
            let mut room = [0; 10 + Pen::BEHIND];
            let mut pen = Pen::over(&mut room);
            pen.put(number);
            let len = pen.written();
            let (mut plain, mut left) = (std::vec::Vec::new(), number);
            while left >= 0x80 {
                plain.push(left as u8 | 0x80);
                left >>= 7;
            }
            plain.push(left as u8);
            assert_eq!(room[..len], plain, "{number:x}");
            assert!(room[len..].iter().all(|&byte| byte == 0), "{number:x}");
        }
    }
}
