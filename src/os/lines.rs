//! Text files of the kernel, read line by line through a small buffer of the caller's, whose stack may be a page.
//!
//! A descriptor lives for one call, closed on exec, and nothing is locked or allocated.

use core::ffi::CStr;

use super::{file, sys};

/// Bytes of a line that are seen; longer lines are passed over.
pub(crate) const LINE_MAX: usize = 512;

/// Calls `look` with each line of the file at `path`, which ends in a zero byte, until it returns true.
/// `false`: there is no such file, or it can't be opened. Any thread.
pub(crate) fn each_line(path: &[u8], buffer: &mut [u8; LINE_MAX], look: &mut dyn FnMut(&[u8]) -> bool) -> bool {
    let Ok(path) = CStr::from_bytes_with_nul(path) else { return false };
    let Ok(fd) = file::open(path, libc::O_RDONLY | libc::O_NONBLOCK) else { return false };
    let mut lines = Lines { buffer, len: 0, skip: false };
    loop {
        let room = lines.room();
        // SAFETY: `room` is writable and this long.
        let got = unsafe { sys::call(libc::SYS_read, [fd as usize, room.as_mut_ptr().addr(), room.len()]) };
        if !got.is_ok_and(|got| got > 0 && !lines.take(got, look)) {
            break;
        }
    }
    file::close(fd);
    true
}

struct Lines<'a> {
    buffer: &'a mut [u8; LINE_MAX],
    /// Bytes of a line whose end has not come yet.
    len: usize,
    /// The line is longer than the buffer: its rest is passed over.
    skip: bool,
}

impl Lines<'_> {
    fn room(&mut self) -> &mut [u8] {
        if self.len == LINE_MAX {
            (self.len, self.skip) = (0, true);
        }
        self.buffer.get_mut(self.len..).unwrap_or_default()
    }

    /// Takes `got` bytes that came into `room`. Says whether `look` has seen enough.
    fn take(&mut self, got: usize, look: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let end = (self.len + got).min(LINE_MAX);
        let mut rest = self.buffer.get(..end).unwrap_or_default();
        while let Some(at) = rest.iter().position(|&byte| byte == b'\n') {
            let line = rest.get(..at).unwrap_or_default();
            rest = rest.get(at + 1..).unwrap_or_default();
            if !core::mem::take(&mut self.skip) && look(line) {
                return true;
            }
        }
        self.len = rest.len();
        // By hand: `copy_within` may panic.
        for at in 0..self.len {
            let byte = self.buffer.get(end - self.len + at).copied().unwrap_or(0);
            if let Some(to) = self.buffer.get_mut(at) {
                *to = byte;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::{String, ToString};
    use std::vec::Vec;

    fn split(text: &[u8], step: usize) -> Vec<String> {
        let mut seen = Vec::new();
        let mut lines = Lines { buffer: &mut [0; LINE_MAX], len: 0, skip: false };
        let mut left = text;
        while !left.is_empty() {
            let room = lines.room();
            let got = step.min(left.len()).min(room.len());
            room[..got].copy_from_slice(&left[..got]);
            left = &left[got..];
            lines.take(got, &mut |line| {
                seen.push(String::from_utf8_lossy(line).to_string());
                false
            });
        }
        seen
    }

    #[test]
    fn lines_come_whole_however_they_are_read_and_long_ones_not_at_all() {
        let mut text = b"one\n\ntwo words\n".to_vec();
        text.extend([b'x'; 3 * LINE_MAX]);
        text.extend(b"\nlast\nunfinished");
        for step in [1, 3, 7, 500, 512, 10_000] {
            assert_eq!(split(&text, step), ["one", "", "two words", "last"], "{step} bytes at a time");
        }
    }

    #[test]
    fn a_file_is_read_to_the_line_that_is_wanted_and_no_descriptor_stays() {
        let mut seen = 0;
        let fds = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        let before = fds();
        let mut room = [0; LINE_MAX];
        assert!(each_line(b"/proc/self/status\0", &mut room, &mut |line| {
            seen += 1;
            line.starts_with(b"Pid:")
        }));
        assert!(seen > 1 && fds() <= before + 1);
        for path in [&b"/proc/self/status"[..], b"", b"/nonexistent\0", b"/proc/self/status/\0"] {
            assert!(!each_line(path, &mut room, &mut |_| panic!("no line is there")));
        }
        assert!(each_line(b"/proc\0", &mut room, &mut |_| panic!("a directory has no lines")));
    }
}
