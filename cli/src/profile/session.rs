//! A program run under the profiler: its profiles, and its memory over time.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tempfile::TempDir;

use super::pprof::Raw;
use super::timeline::{Timeline, Watch};
use crate::error::{Context, Result};
use crate::measure::{Launch, Outcome};
use crate::process;

/// A process of the program's that allocated less than one part in this many of what the largest did is left out.
const LEAST: u64 = 100;

/// A profile that a process of the program wrote.
pub(crate) struct Written {
    pub(crate) pid: i32,
    pub(crate) occasion: Occasion,
    pub(crate) raw: Raw,
}

/// When it was written. In this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Occasion {
    /// At exit or when asked: how manieth of that process.
    Numbered(u32),
    /// For one of HAKMEM's other reasons.
    Trouble(&'static str),
    /// When about the most was live.
    Peak,
}

impl Occasion {
    /// From what the library puts for `%n`.
    pub(crate) fn of(name: &str) -> Option<Occasion> {
        match name {
            "soft-limit" => Some(Occasion::Trouble("above the soft limit")),
            "hard-limit" => Some(Occasion::Trouble("at the hard limit")),
            "pressure" => Some(Occasion::Trouble("when memory was short")),
            _ if name.starts_with("peak-") => Some(Occasion::Peak),
            _ => name.parse().ok().map(Occasion::Numbered),
        }
    }
}

pub(crate) struct Session {
    pub(crate) outcome: Outcome,
    /// The program's own first, in the order they were written.
    pub(crate) profiles: Vec<Written>,
    pub(crate) timeline: Timeline,
}

/// How the library is asked for a profile every so often.
pub(crate) struct Often {
    pub(crate) period: Duration,
    pub(crate) signal: i32,
}

/// Runs a program whose environment has all but where its profiles go.
pub(crate) fn run(
    program: &[OsString],
    mut environment: Vec<(OsString, Option<OsString>)>,
    often: Option<Often>,
) -> Result<Session> {
    let folder = TempDir::with_prefix("hakmem-").context("a directory for the profiles")?;
    let mut pattern = folder.path().as_os_str().to_owned();
    pattern.push("/%p.%n.pb");
    environment.push(("HAKMEM_PROF_FILE".into(), Some(pattern)));
    let (watch, ticker) = (OnceCell::new(), OnceCell::new());
    let started = |pid| {
        let _ = watch.set(Watch::start(pid));
        if let Some(Often { period, signal }) = often {
            let _ = ticker.set(Ticker::start(pid, period, signal));
        }
    };
    let launch = Launch { program, environment, stdin: None, output: None, timeout: None, started: Some(&started) };
    let outcome = launch.run(None)?;
    ticker.into_inner().into_iter().for_each(Ticker::end);
    let timeline = watch.into_inner().map(Watch::end).unwrap_or_default();
    let profiles = collect(folder.path(), outcome.pid)?;
    Ok(Session { outcome, profiles, timeline })
}

fn collect(folder: &Path, main: i32) -> Result<Vec<Written>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).context(folder.display())?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let numbers = name.strip_suffix(".pb").and_then(|name| name.split_once('.'));
        let numbers = numbers.and_then(|(pid, number)| Some((pid.parse().ok()?, Occasion::of(number)?)));
        if let Some((pid, occasion)) = numbers {
            all.push(Written { pid, occasion, raw: Raw::read(&entry.path())? });
        }
    }
    let allocated = |one: &Written| {
        let column = one.raw.column("alloc_space").unwrap_or(0);
        one.raw.samples.iter().filter_map(|sample| sample.values.get(column)).sum::<u64>()
    };
    let most = all.iter().map(allocated).max().unwrap_or(0);
    all.retain(|one| one.pid == main || allocated(one) >= most / LEAST);
    all.sort_by_key(|one| (one.pid != main, one.pid, one.occasion));
    Ok(all)
}

/// Asks a process for a profile every so often.
struct Ticker {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Ticker {
    fn start(pid: i32, period: Duration, signal: i32) -> Ticker {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || {
            while stopped.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                // Unhandled it would end the program: before the library is loaded, and after an exec without it.
                if process::catches(pid, signal).unwrap_or(false) {
                    // SAFETY: no memory is passed.
                    unsafe { libc::kill(pid, signal) };
                }
            }
        });
        Ticker { stop, thread }
    }

    fn end(self) {
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}
