//! A process that runs: told by signal to start the profiler, and after a while to write a profile.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::args::At;
use super::pprof::Raw;
use super::session::{Occasion, Written};
use super::timeline::{Timeline, Watch};
use crate::error::{Error, NOT_SERVED, Result};
use crate::library;
use crate::process;
use crate::remote::Remote;
use crate::served;
use crate::signals;

/// How long after the last signal a file is waited for: an idle process answers when it next asks for memory.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

pub(crate) struct Attached {
    pub(crate) pid: i32,
    pub(crate) command: String,
    pub(crate) profiles: Vec<Written>,
    pub(crate) timeline: Timeline,
    /// Below which its files are: empty, or that of its container.
    pub(crate) root: PathBuf,
    /// How long the profiler ran for this.
    pub(crate) seconds: f64,
}

/// The process, and how it is told.
struct Target {
    pid: i32,
    signal: i32,
    /// The profiler runs from the process's start on.
    always: bool,
    folder: PathBuf,
    /// What stands before and behind `%n` in its files' names.
    name: (String, String),
}

type Files = HashMap<PathBuf, (u64, i64, i64, u64)>;

/// Profiles a process for so long, or until Ctrl-C.
pub(crate) fn attach(pid: i32, period: Duration, at: At) -> Result<Attached> {
    let target = Target::of(process::program_of(pid)?)?;
    if matches!(at, At::Every(_)) && !target.always {
        return Err(Error::usage(format!(
            "--at every=TIME needs a process that was started with HAKMEM_PROF=1: at each profile the profiler of {pid} goes off"
        )));
    }
    signals::catch();
    let watch = Watch::start(target.pid);
    let mut known = target.files();
    let mut profiles = Vec::new();
    if !target.always {
        target.begin()?;
    }
    let progress = bar(target.pid, period);
    let begin = Instant::now();
    let mut next = begin + if let At::Every(every) = at { every } else { period };
    while begin.elapsed() < period && signals::interrupted().is_none() {
        thread::sleep(LOOK.min(period));
        progress.set_position(begin.elapsed().as_millis() as u64);
        if !process::exists(target.pid) {
            break;
        }
        if !target.always && target.take(&mut known, &mut profiles)? {
            // It had been on, and went off: what was counted before is a profile of its own.
            target.begin()?;
        }
        if let At::Every(every) = at {
            if Instant::now() >= next && begin.elapsed() + every / 2 < period {
                next += every;
                target.tell()?;
            }
            target.take(&mut known, &mut profiles)?;
        }
    }
    progress.finish_and_clear();
    let seconds = begin.elapsed().as_secs_f64();
    if process::exists(target.pid) {
        target.tell()?;
        target.wait(&mut known, &mut profiles)?;
    }
    let timeline = watch.end();
    if profiles.is_empty() {
        return Err(Error::new(format!("process {} ended before it wrote a profile", target.pid)));
    }
    let command = crate::output::quote(&process::command(target.pid));
    let command = if command.is_empty() { format!("process {}", target.pid) } else { command };
    Ok(Attached { pid: target.pid, command, profiles, timeline, root: process::root(target.pid), seconds })
}

fn bar(pid: i32, period: Duration) -> ProgressBar {
    let progress = ProgressBar::new(period.as_millis() as u64);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {eta} left, Ctrl-C ends it now") {
        progress.set_style(style);
    }
    progress.set_message(format!("profiling {pid}"));
    progress
}

impl Target {
    fn of(pid: i32) -> Result<Target> {
        let environment = process::environment(pid)?;
        let value = |name| process::variable(&environment, name).map(|value| value.to_string_lossy().into_owned());
        let files = served::mapped_files(pid).map_err(|error| process::cannot_look(pid, &error))?;
        let signal = value("HAKMEM_PROF_SIGNAL").and_then(|name| signals::number(&name));
        let hint = "HAKMEM_PROF_SIGNAL=USR2 hakmem run -- PROG";
        let Some(signal) = signal else {
            if !files.iter().any(|file| library::is_hakmem(file)) {
                return Err(Error::with(
                    NOT_SERVED,
                    format!("HAKMEM does not serve process {pid}; start it anew:\n    {hint}"),
                ));
            }
            return Err(Error::new(format!(
                "process {pid} was not told a signal to profile at (HAKMEM_PROF_SIGNAL); start it anew:\n    {hint}"
            )));
        };
        // Without a handler the signal would end the process.
        if !process::catches(pid, signal)? {
            let name = signals::name(signal);
            return Err(Error::with(
                NOT_SERVED,
                format!(
                    "process {pid} does not handle {name}, which would end it: HAKMEM does not serve it, or the program took the signal for itself"
                ),
            ));
        }
        let pattern = value("HAKMEM_PROF_FILE").unwrap_or_else(|| "hakmem.%p.%n.pb".to_owned());
        let (folder, name) = place(pid, &pattern);
        let always = value("HAKMEM_PROF").is_some_and(|on| on == "1");
        Ok(Target { pid, signal, always, folder, name })
    }

    fn tell(&self) -> Result<()> {
        // SAFETY: no memory is passed.
        if unsafe { libc::kill(self.pid, self.signal) } != 0 {
            return Err(process::cannot_look(self.pid, &std::io::Error::last_os_error()));
        }
        Ok(())
    }

    /// Has the profiler count, and waits until it does: a second signal that comes before the first is answered is none.
    fn begin(&self) -> Result<()> {
        let remote = Remote::of_process(self.pid)?;
        let is_on = || remote.memory.read(remote.layout.profile_on_at, 1).is_some_and(|on| on == [1]);
        if is_on() {
            return Ok(()); // somebody else did; what is counted by now is in the profile
        }
        self.tell()?;
        let deadline = Instant::now() + PATIENCE;
        while !is_on() && signals::interrupted().is_none() {
            if Instant::now() >= deadline {
                return Err(self.silent("does not begin to count"));
            }
            if !process::exists(self.pid) {
                break;
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }

    fn silent(&self, what: &str) -> Error {
        Error::new(format!(
            "process {} {what} within {} s: it does at the next call for which a thread has no block at hand",
            self.pid,
            PATIENCE.as_secs()
        ))
    }

    /// Its profiles that are there.
    fn files(&self) -> Files {
        let Ok(folder) = fs::read_dir(&self.folder) else { return Files::new() };
        let (before, behind) = &self.name;
        let is_one = |name: &str| {
            name.len() >= before.len() + behind.len() && name.starts_with(before) && name.ends_with(behind)
        };
        let files = folder.flatten().filter(|entry| is_one(&entry.file_name().to_string_lossy()));
        files.filter_map(|entry| Some((entry.path(), identity(&entry.metadata().ok()?)))).collect()
    }

    /// Reads what is new.
    fn take(&self, known: &mut Files, profiles: &mut Vec<Written>) -> Result<bool> {
        let mut new: Vec<_> =
            self.files().into_iter().filter(|(path, identity)| known.get(path) != Some(identity)).collect();
        new.sort_by_key(|(_, (_, seconds, nanos, _))| (*seconds, *nanos));
        let any = !new.is_empty();
        for (path, identity) in new {
            let raw = Raw::read(&path)?;
            profiles.push(Written { pid: self.pid, occasion: self.occasion(&path, profiles.len()), raw });
            known.insert(path, identity);
        }
        Ok(any)
    }

    fn occasion(&self, path: &Path, index: usize) -> Occasion {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let (before, behind) = &self.name;
        let which = name.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(behind.as_str()));
        which.and_then(Occasion::of).unwrap_or(Occasion::Numbered(index as u32))
    }

    fn wait(&self, known: &mut Files, profiles: &mut Vec<Written>) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !self.take(known, profiles)? {
            if !process::exists(self.pid) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(self.silent("has written no profile"));
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }
}

fn identity(metadata: &Metadata) -> (u64, i64, i64, u64) {
    (metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.size())
}

/// The folder of a process's profiles as this program reaches it, and their names around `%n`.
fn place(pid: i32, pattern: &str) -> (PathBuf, (String, String)) {
    let own = process::own_number(pid).to_string();
    let (folder, name) = pattern.rsplit_once('/').map_or(("", pattern), |(folder, name)| (folder, name));
    let expand = |text: &str| text.replace("%%", "\0").replace("%p", &own).replace('\0', "%");
    let within = format!("/proc/{pid}/{}", if pattern.starts_with('/') { "root" } else { "cwd" });
    let folder = Path::new(&within).join(expand(folder).trim_start_matches('/'));
    let (before, behind) = name.split_once("%n").unwrap_or((name, ""));
    (folder, (expand(before), expand(behind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_profiles_are_those_of_the_library() {
        let (folder, (before, behind)) = place(1, "/var/%%/a.%p.%n.pb");
        assert_eq!(folder, Path::new("/proc/1/root/var/%"));
        assert_eq!((&*before, &*behind), ("a.1.", ".pb"));
        let (folder, name) = place(1, "x.pb");
        assert_eq!((folder.as_path(), name.0.as_str()), (Path::new("/proc/1/cwd"), "x.pb"));
    }
}
