//! One run of a program, and what the kernel counted for it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::FromRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::elf;
use crate::error::{Error, Result};
use crate::served::Trace;
use crate::signals;

/// A program's cost: its own and that of the children it waited for; the peak is that of the largest of them.
#[derive(Clone, Copy, Default, Serialize)]
pub(crate) struct Cost {
    pub(crate) wall_s: f64,
    pub(crate) user_s: f64,
    pub(crate) system_s: f64,
    pub(crate) peak_rss_kib: u64,
    pub(crate) minor_faults: u64,
    pub(crate) major_faults: u64,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Ending {
    Exit(u8),
    Killed { signal: i32, core: bool },
    TimedOut,
}

pub(crate) struct Outcome {
    pub(crate) pid: i32,
    pub(crate) cost: Cost,
    pub(crate) ending: Ending,
}

/// How a program is started.
pub(crate) struct Launch<'a> {
    pub(crate) program: &'a [OsString],
    /// Set, or removed where there is no value.
    pub(crate) environment: Vec<(OsString, Option<OsString>)>,
    pub(crate) stdin: Option<File>,
    /// For stdout and stderr; inherited where there is none.
    pub(crate) output: Option<(File, File)>,
    /// Seconds, then it is killed.
    pub(crate) timeout: Option<u32>,
    /// Told the program's number when it runs.
    pub(crate) started: Option<&'a dyn Fn(i32)>,
}

impl Cost {
    pub(crate) fn cpu_s(&self) -> f64 {
        self.user_s + self.system_s
    }

    pub(crate) fn faults(&self) -> u64 {
        self.minor_faults + self.major_faults
    }
}

impl Ending {
    fn from_wait(status: i32) -> Ending {
        if libc::WIFSIGNALED(status) {
            Ending::Killed { signal: libc::WTERMSIG(status), core: libc::WCOREDUMP(status) }
        } else {
            Ending::Exit(libc::WEXITSTATUS(status) as u8)
        }
    }

    /// As shells say it: the exit status, or 128 and the signal.
    pub(crate) fn status(self) -> u8 {
        match self {
            Ending::Exit(status) => status,
            Ending::Killed { signal, .. } => 128u8.saturating_add(signal as u8),
            Ending::TimedOut => 124,
        }
    }

    pub(crate) fn text(self) -> String {
        match self {
            Ending::Exit(status) => format!("exit status {status}"),
            Ending::Killed { signal, core } => {
                format!(
                    "killed by {} (signal {signal}){}",
                    signals::name(signal),
                    if core { ", core dumped" } else { "" }
                )
            }
            Ending::TimedOut => "killed after its time ran out".to_owned(),
        }
    }
}

impl Launch<'_> {
    /// Runs the program to its end. With a `trace` it is stopped once, just before its end, and looked at.
    pub(crate) fn run(self, mut trace: Option<&mut Trace>) -> Result<Outcome> {
        let Some((name, arguments)) = self.program.split_first() else {
            return Err(Error::usage("no program"));
        };
        let mut command = Command::new(name);
        command.args(arguments);
        for (variable, value) in self.environment {
            match value {
                Some(value) => command.env(variable, value),
                None => command.env_remove(variable),
            };
        }
        if let Some(stdin) = self.stdin {
            command.stdin(stdin);
        }
        if let Some((stdout, stderr)) = self.output {
            command.stdout(stdout).stderr(stderr);
        }
        let traced = trace.is_some();
        let held = signals::Held::new();
        let mask = held.before();
        // SAFETY: between fork and exec, only system calls. The hook is also what makes Command fork: a program that
        // posix_spawn starts shares our memory until exec, and then counts our resident set as its own peak.
        unsafe {
            command.pre_exec(move || {
                libc::sigprocmask(libc::SIG_SETMASK, &mask, std::ptr::null_mut());
                if traced {
                    // Where this is refused the program runs untraced.
                    libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
                }
                Ok(())
            })
        };
        let begin = Instant::now();
        let child = command.spawn().map_err(|error| cannot_start(name, &error))?;
        let pid = child.id() as i32;
        signals::set_child(pid);
        drop(held);
        signals::alarm(self.timeout);
        if let Some(started) = self.started {
            started(pid);
        }
        let (status, usage) = loop {
            let (status, usage) = wait(pid)?;
            match trace.as_deref_mut() {
                Some(trace) if libc::WIFSTOPPED(status) => trace.stopped(pid, status),
                _ => break (status, usage),
            }
        };
        let wall = begin.elapsed();
        signals::set_child(0);
        let ending = if signals::alarm_rang() { Ending::TimedOut } else { Ending::from_wait(status) };
        Ok(Outcome { pid, cost: cost(wall, &usage), ending })
    }
}

fn cost(wall: Duration, usage: &libc::rusage) -> Cost {
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Cost {
        wall_s: wall.as_secs_f64(),
        user_s: seconds(usage.ru_utime),
        system_s: seconds(usage.ru_stime),
        peak_rss_kib: usage.ru_maxrss as u64,
        minor_faults: usage.ru_minflt as u64,
        major_faults: usage.ru_majflt as u64,
    }
}

fn wait(pid: i32) -> Result<(i32, libc::rusage)> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    loop {
        // SAFETY: both are writable.
        let done = unsafe { libc::wait4(pid, &mut status, 0, usage.as_mut_ptr()) };
        if done == pid {
            // SAFETY: zeroed is a valid rusage, and wait4 filled it in.
            return Ok((status, unsafe { usage.assume_init() }));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(Error::new(format!("wait4: {error}")));
        }
    }
}

fn cannot_start(name: &OsStr, error: &io::Error) -> Error {
    let bare = !name.as_bytes().contains(&b'/');
    // execvp says "permission denied" where one of PATH's directories may not be searched, and the name is nowhere else.
    let nowhere = error.kind() == io::ErrorKind::NotFound || bare && elf::candidates(name).is_empty();
    let why = match error.kind() {
        _ if nowhere && bare => "command not found".to_owned(),
        _ if nowhere => "no such program, or its interpreter is missing".to_owned(),
        io::ErrorKind::PermissionDenied => "not executable: permission denied".to_owned(),
        _ => error.to_string(),
    };
    let status = if nowhere { 127 } else { 126 };
    Error::with(status, format!("{}: {why}", crate::output::quote(&[name])))
}

/// A file in memory, for what a program says on stderr.
pub(crate) fn memory_file() -> io::Result<File> {
    // SAFETY: the name is a C string.
    let fd = unsafe { libc::memfd_create(c"hakmem".as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new descriptor that nobody else owns.
    Ok(unsafe { File::from_raw_fd(fd) })
}

pub(crate) fn null() -> io::Result<File> {
    File::options().read(true).write(true).open("/dev/null")
}
