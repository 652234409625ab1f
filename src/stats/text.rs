//! `Text`: numbers and strings to a file descriptor through a small buffer on the stack.
#![forbid(unsafe_code)]

use crate::os;

/// Who takes full buffers.
type Sink<'a> = &'a mut dyn FnMut(&[u8]);

/// Writes to stderr, or hands each full buffer to a function of the caller's.
pub(crate) struct Text<'a> {
    buffer: [u8; 512],
    len: usize,
    sink: Option<Sink<'a>>,
}

impl<'a> Text<'a> {
    pub(crate) fn stderr() -> Text<'a> {
        Text { buffer: [0; 512], len: 0, sink: None }
    }

    pub(crate) fn to(sink: &'a mut dyn FnMut(&[u8])) -> Text<'a> {
        Text { buffer: [0; 512], len: 0, sink: Some(sink) }
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

    /// `value` right-aligned in at least `width` characters, 20 at most.
    pub(crate) fn padded(&mut self, mut value: u64, width: usize) -> &mut Self {
        let mut digits = [b' '; 20];
        let mut used = 0;
        for slot in digits.iter_mut().rev() {
            if used > 0 && value == 0 {
                break;
            }
            *slot = b'0' + (value % 10) as u8;
            value /= 10;
            used += 1;
        }
        let shown = used.max(width).min(20);
        self.bytes(digits.get(20 - shown..).unwrap_or_default())
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
        text.num(0).str(" ").num(u64::MAX).str(" ").int(i64::MIN).str(" ").padded(42, 6);
        drop(text);
        let expected = format!("0 {} {} {:>6}", u64::MAX, i64::MIN, 42);
        assert_eq!(String::from_utf8_lossy(&out), expected);
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
