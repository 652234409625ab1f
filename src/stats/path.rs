//! `Path`: a file's name with the process's number in it, put together without allocating.
#![forbid(unsafe_code)]

use core::ffi::CStr;

use super::text::Text;
use crate::os;

/// Bytes of a path at most, once expanded.
const PATH_MAX: usize = 512;

/// What `%n` stands for: a word, a number, or a word with a number.
#[derive(Clone, Copy)]
pub(crate) struct Name {
    pub(crate) word: &'static str,
    pub(crate) number: Option<u64>,
}

/// A path in the making.
///
/// # Invariants
/// - P1: `len < PATH_MAX` unless the path is `cut`, and the bytes from `len` on are 0.
pub(crate) struct Path {
    bytes: [u8; PATH_MAX],
    len: usize,
    cut: bool,
}

impl Path {
    pub(crate) const fn new() -> Path {
        Path { bytes: [0; PATH_MAX], len: 0, cut: false }
    }

    /// Becomes `pattern` and `ending`, with the process's number for `%p`, `name` for `%n` if there is one, and `%` for `%%`. `false`: too long.
    pub(crate) fn expand(&mut self, pattern: &[u8], ending: &[u8], name: Option<Name>) -> bool {
        self.bytes.fill(0);
        (self.len, self.cut) = (0, false);
        let mut text = pattern.iter().chain(ending).copied().peekable();
        while let Some(byte) = text.next() {
            let known = |&next: &u8| next == b'p' || next == b'%' || (next == b'n' && name.is_some());
            let special = if byte == b'%' { text.next_if(known) } else { None };
            let stands_for = match special {
                Some(b'p') => Some(Name { word: "", number: Some(os::process_id()) }),
                Some(b'n') => name,
                _ => None,
            };
            match stands_for {
                Some(Name { word, number }) => {
                    let mut put = |piece: &[u8]| piece.iter().for_each(|&byte| self.put(byte));
                    let mut text = Text::to(&mut put);
                    text.str(word);
                    if let Some(number) = number {
                        text.num(number);
                    }
                }
                None => self.put(byte),
            }
        }
        if self.cut {
            errno::set_errno(errno::Errno(libc::ENAMETOOLONG));
        }
        !self.cut
    }

    fn put(&mut self, byte: u8) {
        match self.bytes.get_mut(self.len) {
            Some(slot) if self.len + 1 < PATH_MAX => {
                *slot = byte;
                self.len += 1;
            }
            _ => self.cut = true,
        }
    }

    pub(crate) fn as_c(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or(c"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_the_process_and_knows_its_length() {
        let expand = |pattern: &str, ending: &str| {
            let mut path = Path::new();
            let whole = path.expand(pattern.as_bytes(), ending.as_bytes(), None);
            whole.then(|| path.as_c().to_str().unwrap().to_owned())
        };
        let id = std::process::id();
        assert_eq!(expand("/a/%p.json", ".%p.tmp"), Some(format!("/a/{id}.json.{id}.tmp")));
        assert_eq!(expand("%%p%x%p%", ""), Some(format!("%p%x{id}%")));
        assert_eq!(expand("%", "%"), Some("%".to_owned()));
        assert_eq!(expand(&"x".repeat(PATH_MAX - 1), ""), Some("x".repeat(PATH_MAX - 1)));
        assert_eq!(expand(&"x".repeat(PATH_MAX), ""), None);
    }

    #[test]
    fn a_path_counts_where_it_is_told_to() {
        let mut path = Path::new();
        let name = |word, number| Some(Name { word, number });
        assert!(path.expand(b"%n-%%n.%x", b"", name("", Some(42))) && path.as_c() == c"42-%n.%x");
        assert!(path.expand(b"%n.pb", b"", name("peak-", Some(3))) && path.as_c() == c"peak-3.pb");
        assert!(path.expand(b"%n.pb", b"", name("limit", None)) && path.as_c() == c"limit.pb");
        assert!(path.expand(b"%n", b"", None) && path.as_c() == c"%n");
    }
}
