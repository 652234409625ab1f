//! `Text`: numbers and strings to a file descriptor through a small buffer on the stack.
#![forbid(unsafe_code)]

use crate::base::digits::{Digits, nibble};
use crate::os;

/// Who takes full buffers.
type Sink<'a> = &'a mut dyn FnMut(&[u8]);

/// Bytes written at once: a whole line of a report, and two of these fit into the stack that a report from a signal's handler may take.
const ROOM: usize = 224;

/// Writes to stderr, or hands each full buffer to a function of the caller's.
pub(crate) struct Text<'a> {
    buffer: [u8; ROOM],
    len: usize,
    sink: Option<Sink<'a>>,
}

impl<'a> Text<'a> {
    pub(crate) fn stderr() -> Text<'a> {
        Text { buffer: [0; ROOM], len: 0, sink: None }
    }

    pub(crate) fn to(sink: &'a mut dyn FnMut(&[u8])) -> Text<'a> {
        Text { buffer: [0; ROOM], len: 0, sink: Some(sink) }
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        for &byte in bytes {
            if self.len == self.buffer.len() {
                self.flush();
            }
            if let Some(slot) = self.buffer.get_mut(self.len) {
                *slot = byte;
                self.len += 1;
            }
        }
        self
    }

    pub(crate) fn str(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn int(&mut self, value: i64) -> &mut Self {
        if value < 0 {
            self.str("-");
        }
        self.num(value.unsigned_abs())
    }

    pub(crate) fn num(&mut self, value: u64) -> &mut Self {
        self.padded(value, 0)
    }

    /// In lower-case hexadecimal digits.
    pub(crate) fn hex(&mut self, value: u64) -> &mut Self {
        self.bytes(Digits::hex(value).bytes())
    }

    /// `value` right-aligned in at least `width` characters, 20 at most.
    pub(crate) fn padded(&mut self, value: u64, width: usize) -> &mut Self {
        self.bytes(Digits::decimal(value).padded(width))
    }

    /// `text`, then blanks up to `width` characters.
    pub(crate) fn left(&mut self, text: &str, width: usize) -> &mut Self {
        self.str(text);
        for _ in text.len()..width {
            self.str(" ");
        }
        self
    }

    /// `part / whole` with four decimals; 0 of nothing is 0.
    pub(crate) fn ratio(&mut self, part: u64, whole: u64) -> &mut Self {
        let parts = part.saturating_mul(10_000).checked_div(whole).unwrap_or(0);
        self.num(parts / 10_000).str(".");
        for digit in [1000, 100, 10, 1] {
            self.num(parts / digit % 10);
        }
        self
    }

    /// A JSON string. Bytes above 127 are taken for Latin-1: a name in another encoding stays valid JSON.
    pub(crate) fn quoted(&mut self, text: &[u8]) -> &mut Self {
        self.str("\"").escaped(text).str("\"")
    }

    /// What stands between the quotes of a JSON string.
    pub(crate) fn escaped(&mut self, text: &[u8]) -> &mut Self {
        for &byte in text {
            match byte {
                b'"' | b'\\' => self.str("\\").bytes(&[byte]),
                b' '..=b'~' => self.bytes(&[byte]),
                _ => self.str("\\u00").bytes(&[nibble(byte >> 4), nibble(byte & 15)]),
            };
        }
        self
    }

    fn flush(&mut self) {
        let text = self.buffer.get(..self.len).unwrap_or_default();
        match &mut self.sink {
            Some(sink) => sink(text),
            None => os::write_stderr(text),
        }
        self.len = 0;
    }
}

impl Drop for Text<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_out_as_format_writes_them() {
        let mut out = std::vec::Vec::new();
        let mut sink = |text: &[u8]| out.extend_from_slice(text);
        let mut text = Text::to(&mut sink);
        text.num(0).str(" ").num(u64::MAX).str(" ").int(i64::MIN).str(" ").padded(42, 6).str(" ").hex(0xA0).hex(0);
        drop(text);
        let expected = format!("0 {} {} {:>6} a00", u64::MAX, i64::MIN, 42);
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn ratios_names_and_json_strings() {
        let mut out = std::vec::Vec::new();
        let mut sink = |text: &[u8]| out.extend_from_slice(text);
        let mut text = Text::to(&mut sink);
        text.ratio(1, 3).str(" ").ratio(3, 3).str(" ").ratio(7, 0).str(" ").ratio(u64::MAX, 2).str("\n");
        text.left("ab", 4).left("abc", 2).str("|").quoted(b"a\"\\\n\x7f\xe9z");
        drop(text);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "0.3333 1.0000 0.0000 922337203685477.5807\nab  abc|\"a\\\"\\\\\\u000a\\u007f\\u00e9z\""
        );
    }

    #[test]
    fn long_text_passes_through_the_buffer_whole() {
        let mut total = 0;
        let mut sink = |text: &[u8]| total += text.len();
        let mut text = Text::to(&mut sink);
        for _ in 0..100 {
            text.str("0123456789abcdef");
        }
        drop(text);
        assert_eq!(total, 1600);
    }
}
