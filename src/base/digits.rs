//! `Digits`: a number as text, without allocating.
#![forbid(unsafe_code)]

/// Room for the longest: 2^64 - 1 in tens.
const ROOM: usize = 20;

/// The digit of a number below 16, in lower case.
pub(crate) fn nibble(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

pub(crate) struct Digits {
    /// Blanks, then the digits.
    bytes: [u8; ROOM],
    len: usize,
}

impl Digits {
    pub(crate) fn decimal(value: u64) -> Digits {
        Digits::of(value, |value| (value / 10, b'0' + (value % 10) as u8))
    }

    /// In lower case.
    pub(crate) fn hex(value: u64) -> Digits {
        Digits::of(value, |value| (value >> 4, nibble((value & 0xF) as u8)))
    }

    #[inline(always)]
    fn of(mut value: u64, take: impl Fn(u64) -> (u64, u8)) -> Digits {
        let mut digits = Digits { bytes: [b' '; ROOM], len: 0 };
        for slot in digits.bytes.iter_mut().rev() {
            (value, *slot) = take(value);
            digits.len += 1;
            if value == 0 {
                break;
            }
        }
        digits
    }

    /// As many characters as there are digits, or `width`, `ROOM` at most: blanks in front.
    pub(crate) fn padded(&self, width: usize) -> &[u8] {
        self.bytes.get(ROOM - self.len.max(width).min(ROOM)..).unwrap_or_default()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.padded(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_standard_library_does() {
        for value in [0, 1, 9, 10, 15, 16, 0xA0, 12_345, u64::MAX - 1, u64::MAX] {
            assert_eq!(Digits::decimal(value).bytes(), std::format!("{value}").as_bytes());
            assert_eq!(Digits::hex(value).bytes(), std::format!("{value:x}").as_bytes());
            assert_eq!(Digits::decimal(value).padded(6), std::format!("{value:>6}").as_bytes());
            assert_eq!(Digits::decimal(value).padded(99), std::format!("{value:>20}").as_bytes());
        }
    }
}
