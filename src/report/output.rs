//! Where reports go: `HAKMEM_STATS` at exit, and at the signal of `HAKMEM_STATS_SIGNAL`.
#![forbid(unsafe_code)]

use core::ffi::CStr;

use super::json::write_json;
use super::print::write_text;
use super::prometheus::write_prometheus;
use crate::base::aside::Aside;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::config::{TEXT_MAX, get, text};
use crate::os::file::{self, File};
use crate::os::lock::{self, Mutex};
use crate::os::signal::{self, Request};
use crate::os::tls;
use crate::stats::path::Path;
use crate::stats::text::Text;

/// The thread that writes a report, or 0: two at once would write into one file. No lock, for a file may make it wait.
static WRITER: AtomicUsize = AtomicUsize::new(0);

/// Runs `write` if nobody writes a report. `false`: somebody does.
fn alone(write: impl FnOnce()) -> bool {
    // Acquire pairs with the Release below: who is told that nobody writes finds the last one's names free, which are only tried, and a
    // report is lost where they are not. Relaxed on failure: nothing is written.
    if WRITER.compare_exchange(0, tls::thread(), Ordering::Acquire, Ordering::Relaxed).is_err() {
        return false;
    }
    write();
    WRITER.store(0, Ordering::Release);
    true
}

/// What a report's names are put together in, not on the stack of whatever thread writes: who is `alone` takes it.
static NAMES: Aside<Mutex<Names>> =
    Aside(Mutex::new(Names { target: [0; TEXT_MAX], path: Path::new(), spare: Path::new() }));

struct Names {
    target: [u8; TEXT_MAX],
    path: Path,
    spare: Path,
}

/// The report that was asked for at exit, if one was.
pub(crate) fn at_exit() {
    // Mostly none is, and then no more of the process's memory is touched to find that.
    if get::stats() != 0 {
        // An exit from within a signal handler may have interrupted a report: that one is lost, and so is this one.
        alone(|| write(false));
    }
}

/// The report that a signal asked for.
pub(crate) fn at_signal() {
    // The one that is being written may be older than the signal.
    if !alone(|| write(true)) {
        signal::request(Request::Report);
    }
}

pub(crate) fn at_fork_child() {
    signal::forget();
    // Relaxed, both: there is no other thread.
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
                let named = path.expand(pattern, b"", None) && spare.expand(pattern, b".%p.tmp", None);
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
