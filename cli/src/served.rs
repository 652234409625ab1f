//! Whether a library really serves a process: seen in the process's own memory map, not guessed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Looks at a program's memory map just before its end, through ptrace: an ordinary program of a millisecond
/// is gone before /proc could be read.
pub(crate) struct Trace {
    library: PathBuf,
    started: bool,
    /// `None`: it was not seen (ptrace is refused, or the program was killed).
    pub(crate) mapped: Option<bool>,
}

impl Trace {
    /// `library` as the memory map names it: without symbolic links.
    pub(crate) fn new(library: &Path) -> Trace {
        Trace {
            library: fs::canonicalize(library).unwrap_or_else(|_| library.to_owned()),
            started: false,
            mapped: None,
        }
    }

    /// Called at each stop; lets the program go on.
    pub(crate) fn stopped(&mut self, pid: i32, status: i32) {
        let signal = libc::WSTOPSIG(status);
        let event = status >> 16;
        let mut deliver = signal;
        if !self.started {
            // The stop that exec makes of itself.
            self.started = true;
            let options = libc::PTRACE_O_TRACEEXIT | libc::PTRACE_O_TRACEEXEC | libc::PTRACE_O_EXITKILL;
            // SAFETY: a request without memory on our own stopped child.
            unsafe { libc::ptrace(libc::PTRACE_SETOPTIONS, pid, 0, options) };
            deliver = 0;
        } else if signal == libc::SIGTRAP && event != 0 {
            if event == libc::PTRACE_EVENT_EXIT {
                self.mapped = maps(pid, &self.library).ok();
            }
            deliver = 0;
        }
        // SAFETY: as above.
        unsafe { libc::ptrace(libc::PTRACE_CONT, pid, 0, deliver) };
    }
}

/// Whether a process has `library` mapped.
pub(crate) fn maps(pid: i32, library: &Path) -> io::Result<bool> {
    Ok(mapped_files(pid)?.iter().any(|path| path == library))
}

/// The files a process has mapped, each once; those that are deleted by now without the word for it.
pub(crate) fn mapped_files(pid: i32) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for line in String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/maps"))?).lines() {
        if let Some(start) = line.find('/') {
            let path = line.get(start..).unwrap_or_default();
            let path = Path::new(path.strip_suffix(" (deleted)").unwrap_or(path));
            if files.last().is_none_or(|last| last != path) && !files.iter().any(|known| known == path) {
                files.push(path.to_owned());
            }
        }
    }
    Ok(files)
}
