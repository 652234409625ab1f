//! Where reports go: `HAKMEM_STATS` at exit, and at the signal of `HAKMEM_STATS_SIGNAL`.
#![forbid(unsafe_code)]

use core::ffi::CStr;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::{write_json, write_prometheus, write_text};
use crate::config::{TEXT_MAX, text};
use crate::os::file::{self, File};
use crate::os::lock::{self, Mutex};
use crate::os::{self, signal, tls};
use crate::stats::text::Text;

/// The thread that writes a report, or 0: two at once would write into one file. No lock, for a file may make it wait.
static WRITER: AtomicUsize = AtomicUsize::new(0);

/// Runs `write` if nobody writes a report. `false`: somebody does.
fn alone(write: impl FnOnce()) -> bool {
    // Relaxed, throughout: what is written is told by the files.
    if WRITER.compare_exchange(0, tls::thread(), Ordering::Relaxed, Ordering::Relaxed).is_err() {
        return false;
    }
    write();
    WRITER.store(0, Ordering::Relaxed);
    true
}

/// What a report's names are put together in, not on the stack of whatever thread writes: who is `alone` takes it.
static NAMES: Mutex<Names> = Mutex::new(Names { target: [0; TEXT_MAX], path: Path::new(), spare: Path::new() });

struct Names {
    target: [u8; TEXT_MAX],
    path: Path,
    spare: Path,
}

/// The report that was asked for at exit, if one was.
pub(crate) fn at_exit() {
    // An exit from within a signal handler may have interrupted a report: that one is lost, and so is this one.
    alone(|| write(false));
}

/// The report that a signal asked for.
pub(crate) fn at_signal() {
    // The one that is being written may be older than the signal.
    if !alone(|| write(true)) {
        signal::request();
    }
}

pub(crate) fn at_fork_child() {
    // It was the parent who was asked.
    signal::take();
    if WRITER.load(Ordering::Relaxed) != tls::thread() {
        WRITER.store(0, Ordering::Relaxed);
        lock::free_in_child(&NAMES);
    }
}

fn write(always: bool) {
    if let Some(mut names) = NAMES.try_lock() {
        names.write(always);
    }
}

impl Names {
    /// Writes the report of `HAKMEM_STATS`; `always`: as text to stderr when that asks for none.
    fn write(&mut self, always: bool) {
        let Names { target, path, spare } = self;
        let target = text::stats(target);
        if target == b"0" && !always {
            return;
        }
        let mut parts = target.splitn(2, |&byte| byte == b':');
        let form = match parts.next() {
            Some(b"json") => write_json,
            Some(b"prom") => write_prometheus,
            _ => write_text,
        };
        match parts.next() {
            None | Some(b"-" | b"stderr") => form(&mut Text::stderr()),
            Some(pattern) => {
                let named = path.expand(pattern, b"") && spare.expand(pattern, b".%p.tmp");
                if !(named && write_file(path.as_c(), spare.as_c(), form)) {
                    refused(target);
                }
            }
        }
    }
}

#[cold]
#[inline(never)]
fn refused(target: &[u8]) {
    let error = errno::errno().0;
    let why = match error {
        libc::ENXIO => ": nobody reads it (errno ",
        libc::EAGAIN => ": its reader is too slow (errno ",
        _ => ": can't write (errno ",
    };
    Text::stderr().str("hakmem: HAKMEM_STATS=").bytes(target).str(why).int(error as i64).str(")\n");
}

/// Writes a new file and gives it its name when it is whole, so that a reader finds all of one report or of the last one. What is
/// no regular file (a pipe, a device, a link) is written in place, and so is a file in a directory that takes no new one.
fn write_file(path: &CStr, spare: &CStr, form: fn(&mut Text)) -> bool {
    let fresh = if file::may_replace(path) { File::create_new(spare) } else { None };
    if let Some(fresh) = fresh {
        let done = fill(&fresh, form) && file::rename(spare, path);
        if !done {
            let why = errno::errno();
            file::remove(spare);
            errno::set_errno(why);
        }
        return done;
    }
    File::create(path).is_some_and(|file| fill(&file, form))
}

fn fill(file: &File, form: fn(&mut Text)) -> bool {
    let mut whole = true;
    let mut sink = |piece: &[u8]| whole = whole && file.write(piece);
    form(&mut Text::to(&mut sink));
    whole
}

/// Bytes of a path at most, once expanded.
const PATH_MAX: usize = 512;

/// A path in the making.
///
/// # Invariants
/// - P1: `len < PATH_MAX` as long as the path is `whole`, and the bytes from `len` on are 0.
struct Path {
    bytes: [u8; PATH_MAX],
    len: usize,
    whole: bool,
}

impl Path {
    const fn new() -> Path {
        Path { bytes: [0; PATH_MAX], len: 0, whole: true }
    }

    /// Becomes `pattern` and `ending`, with the process's number for `%p` and `%` for `%%`. `false`: too long.
    fn expand(&mut self, pattern: &[u8], ending: &[u8]) -> bool {
        self.bytes.fill(0);
        (self.len, self.whole) = (0, true);
        let mut text = pattern.iter().chain(ending).copied().peekable();
        while let Some(byte) = text.next() {
            let special = if byte == b'%' { text.next_if(|&next| next == b'p' || next == b'%') } else { None };
            if special == Some(b'p') {
                Text::to(&mut |digits| digits.iter().for_each(|&digit| self.put(digit))).num(os::process_id());
            } else {
                self.put(byte);
            }
        }
        if !self.whole {
            errno::set_errno(errno::Errno(libc::ENAMETOOLONG));
        }
        self.whole
    }

    fn put(&mut self, byte: u8) {
        match self.bytes.get_mut(self.len) {
            Some(slot) if self.len + 1 < PATH_MAX => {
                *slot = byte;
                self.len += 1;
            }
            _ => self.whole = false,
        }
    }

    fn as_c(&self) -> &CStr {
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
            let whole = path.expand(pattern.as_bytes(), ending.as_bytes());
            whole.then(|| path.as_c().to_str().unwrap().to_owned())
        };
        let id = std::process::id();
        assert_eq!(expand("/a/%p.json", ".%p.tmp"), Some(format!("/a/{id}.json.{id}.tmp")));
        assert_eq!(expand("%%p%x%p%", ""), Some(format!("%p%x{id}%")));
        assert_eq!(expand("%", "%"), Some("%".to_owned()));
        assert_eq!(expand(&"x".repeat(PATH_MAX - 1), ""), Some("x".repeat(PATH_MAX - 1)));
        assert_eq!(expand(&"x".repeat(PATH_MAX), ""), None);
    }
}
