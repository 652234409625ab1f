//! `Files`: the kernel's text files, and numbers in them.
#![forbid(unsafe_code)]

use super::path::Path;
use crate::os;
use crate::os::lines::LINE_MAX;

/// Where the kernel's text files come from; a second implementation holds those of a test.
pub(super) trait Files {
    /// Calls `look` with each line until it returns true. `false`: no such file.
    fn each_line(&mut self, path: &Path, look: &mut dyn FnMut(&[u8]) -> bool) -> bool;
}

pub(super) struct Kernel {
    line: [u8; LINE_MAX],
}

impl Kernel {
    pub(super) const fn new() -> Kernel {
        Kernel { line: [0; LINE_MAX] }
    }
}

impl Files for Kernel {
    fn each_line(&mut self, path: &Path, look: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        path.terminated().is_some_and(|path| os::lines::each_line(path, &mut self.line, look))
    }
}

/// The decimal number that `text` starts with.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    let mut value = None;
    for &byte in text {
        if !byte.is_ascii_digit() {
            break;
        }
        // What does not fit in 64 bits is as good as no limit.
        value = Some(value.unwrap_or(0u64).saturating_mul(10).saturating_add((byte - b'0') as u64));
    }
    value
}

#[cfg(test)]
pub(super) mod fake {
    use super::*;

    /// Files by name.
    pub(in crate::pressure) struct Texts<'a>(pub(in crate::pressure) &'a [(&'a str, &'a str)]);

    impl Files for Texts<'_> {
        fn each_line(&mut self, path: &Path, look: &mut dyn FnMut(&[u8]) -> bool) -> bool {
            let name = path.terminated().and_then(|path| path.strip_suffix(b"\0"));
            let found = self.0.iter().find(|(file, _)| Some(file.as_bytes()) == name);
            found.is_some_and(|(_, text)| {
                text.lines().any(|line| look(line.as_bytes()));
                true
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_their_digits_do() {
        assert_eq!(number(b"12.50 avg60"), Some(12));
        assert_eq!(number(b"max"), None);
        assert_eq!(number(b""), None);
        assert_eq!(number(b"99999999999999999999999"), Some(u64::MAX));
    }
}
