//! A process stopped, thread by thread, for as long as this lives: its memory stands still, and its registers can be read.
//!
//! By ptrace, not by SIGSTOP: nobody sees it stop, a process that was stopped stays so, and registers are there for the asking.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::time::{Duration, Instant};

use crate::error::{Error, NO_PERMISSION, NO_PROCESS, Result};

pub(crate) struct Stopped {
    threads: Vec<i32>,
    since: Instant,
}

/// Rounds that new threads are looked for in: those that were stopped make none.
const ROUNDS: usize = 100;

impl Stopped {
    pub(crate) fn new(pid: i32) -> Result<Stopped> {
        let mut stopped = Stopped { threads: Vec::new(), since: Instant::now() };
        let mut known = HashSet::new();
        for _ in 0..ROUNDS {
            let new: Vec<i32> = threads(pid).into_iter().filter(|tid| known.insert(*tid)).collect();
            if new.is_empty() {
                break;
            }
            // Asked all at once, then waited for: else each would wait for a turn of the scheduler.
            let asked: Vec<i32> =
                new.into_iter().filter_map(|tid| stopped.ask(pid, tid).transpose()).collect::<Result<_>>()?;
            for tid in asked {
                wait(tid);
            }
        }
        if stopped.threads.is_empty() {
            return Err(Error::with(NO_PROCESS, format!("process {pid} has ended")));
        }
        Ok(stopped)
    }

    /// `None`: the thread is gone by now.
    fn ask(&mut self, pid: i32, tid: i32) -> Result<Option<i32>> {
        if request(libc::PTRACE_SEIZE, tid, 0, 0) != 0 {
            let error = io::Error::last_os_error();
            return match error.raw_os_error() {
                Some(libc::ESRCH) => Ok(None),
                _ => Err(refused(pid, &error)),
            };
        }
        self.threads.push(tid);
        request(libc::PTRACE_INTERRUPT, tid, 0, 0);
        Ok(Some(tid))
    }

    /// Each thread's general registers, in the order of `user_regs_struct`.
    pub(crate) fn registers(&self) -> Vec<Vec<u64>> {
        self.threads.iter().filter_map(|&tid| registers(tid)).collect()
    }

    /// Lets it go on, and says how long it stood.
    pub(crate) fn release(self) -> Duration {
        let since = self.since;
        drop(self);
        since.elapsed()
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        for &tid in &self.threads {
            request(libc::PTRACE_DETACH, tid, 0, 0);
        }
    }
}

fn threads(pid: i32) -> Vec<i32> {
    let Ok(folder) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    folder.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn request(what: libc::c_uint, tid: i32, address: usize, data: usize) -> libc::c_long {
    // SAFETY: requests that write go to what `data` points to, which the callers own.
    unsafe { libc::ptrace(what, tid, address, data) }
}

fn wait(tid: i32) {
    let mut status = 0;
    // SAFETY: `status` is writable.
    unsafe { libc::waitpid(tid, &mut status, libc::__WALL) };
}

fn registers(tid: i32) -> Option<Vec<u64>> {
    const NT_PRSTATUS: usize = 1;
    let mut words = vec![0_u64; 64];
    let mut io = libc::iovec { iov_base: words.as_mut_ptr().cast(), iov_len: words.len() * 8 };
    let done = request(libc::PTRACE_GETREGSET, tid, NT_PRSTATUS, (&raw mut io) as usize);
    words.truncate(io.iov_len / 8);
    (done == 0).then_some(words)
}

fn refused(pid: i32, error: &io::Error) -> Error {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:")).map_or("0", str::trim);
    let why = if tracer == "0" {
        format!("{error}: run this as its user, as root, or with CAP_SYS_PTRACE")
    } else {
        format!("process {tracer} traces it already")
    };
    Error::with(NO_PERMISSION, format!("process {pid} may not be stopped: {why}"))
}

/// Where the stack pointer is among the registers.
#[cfg(target_arch = "x86_64")]
pub(crate) const STACK_POINTER: usize = 19;
#[cfg(not(target_arch = "x86_64"))]
pub(crate) const STACK_POINTER: usize = 31;
