//! Box `pressure` (L2): whether the machine, or this process's control group, runs short of memory.
//! Owns: `ASKING`, room for one question at a time. Each is asked anew, so a process that is moved or locked up gets the answer
//! of the day.
//! Calls: os.   Called by: front.   Locks: `ASKING`, tried only.   Threads: any; changes errno.
//! Never: keeps a file open, takes a missing or strange file for anything but "no".
#![forbid(unsafe_code)]

mod cgroup;
mod path;
mod psi;

use crate::os;
use crate::os::lines::LINE_MAX;
use crate::os::lock::{self, Mutex};
use path::Path;

/// Where the kernel's text files come from; a second implementation holds those of a test.
trait Files {
    /// Calls `look` with each line until it returns true. `false`: no such file.
    fn each_line(&mut self, path: &Path, look: &mut dyn FnMut(&[u8]) -> bool) -> bool;
}

struct Kernel {
    line: [u8; LINE_MAX],
}

impl Files for Kernel {
    fn each_line(&mut self, path: &Path, look: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        path.terminated().is_some_and(|path| os::lines::each_line(path, &mut self.line, look))
    }
}

/// Whether memory should be given back now. Reads some ten small files: some 100 µs.
/// `false` also while another thread asks.
pub(crate) fn is_high() -> bool {
    ASKING.try_lock().is_some_and(|mut asking| {
        let (kernel, paths) = &mut *asking;
        ask(kernel, paths)
    })
}

/// In a child of fork, which may have been made while another thread was asking.
pub(crate) fn after_fork() {
    lock::free_in_child(&ASKING);
}

/// The names that a question puts together: two KiB, and the caller's stack may have one.
struct Paths {
    at: Path,
    one: Path,
    two: Path,
}

impl Paths {
    const fn new() -> Paths {
        Paths { at: Path::new(), one: Path::new(), two: Path::new() }
    }
}

static ASKING: Mutex<(Kernel, Paths)> = Mutex::new((Kernel { line: [0; LINE_MAX] }, Paths::new()));

fn ask(files: &mut impl Files, paths: &mut Paths) -> bool {
    psi::is_high(files, paths.at.set(b"/proc/pressure/memory")) || cgroup::is_high(files, paths)
}

/// The decimal number that `text` starts with.
fn number(text: &[u8]) -> Option<u64> {
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
mod fake {
    use super::*;

    /// Files by name.
    pub(super) struct Texts<'a>(pub(super) &'a [(&'a str, &'a str)]);

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
    fn nothing_to_read_is_no_pressure_and_the_real_files_can_be_read() {
        assert!(!ask(&mut fake::Texts(&[]), &mut Paths::new()));
        let nonsense = [("/proc/pressure/memory", ""), ("/proc/self/cgroup", "nonsense\n::::\n0:")];
        assert!(!ask(&mut fake::Texts(&nonsense), &mut Paths::new()));
        is_high();
    }

    #[test]
    fn numbers_end_where_their_digits_do() {
        assert_eq!(number(b"12.50 avg60"), Some(12));
        assert_eq!(number(b"max"), None);
        assert_eq!(number(b""), None);
        assert_eq!(number(b"99999999999999999999999"), Some(u64::MAX));
    }
}
