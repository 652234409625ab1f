//! What /proc tells of a process that runs.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::error::{Error, NO_PERMISSION, NO_PROCESS, Result};

/// The environment a process was started with.
pub(crate) fn environment(pid: i32) -> Result<Vec<(OsString, OsString)>> {
    let bytes = read(pid, "environ")?;
    let variables = bytes.split(|&byte| byte == 0).filter_map(|entry| {
        let at = entry.iter().position(|&byte| byte == b'=')?;
        let (name, value) = entry.split_at_checked(at)?;
        Some((OsString::from_vec(name.to_vec()), OsString::from_vec(value.get(1..)?.to_vec())))
    });
    Ok(variables.collect())
}

pub(crate) fn variable<'a>(environment: &'a [(OsString, OsString)], name: &str) -> Option<&'a OsStr> {
    environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str())
}

/// The command line, as it was given.
pub(crate) fn command(pid: i32) -> Vec<OsString> {
    let bytes = read(pid, "cmdline").unwrap_or_default();
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(&bytes);
    bytes.split(|&byte| byte == 0).map(|word| OsStr::from_bytes(word).to_owned()).collect()
}

/// Who is meant by a process: the program, where it is `hakmem run` with one. That passes signals on, so to ask it for what
/// only the library does would end a program that the library does not serve.
pub(crate) fn program_of(pid: i32) -> Result<i32> {
    let exe = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    let is_run = exe.file_name() == Some(OsStr::new("hakmem")) && command(pid).get(1).is_some_and(|word| word == "run");
    if !is_run {
        return Ok(pid);
    }
    let children = String::from_utf8_lossy(&read(pid, &format!("task/{pid}/children"))?).into_owned();
    let child = children.split_whitespace().next().and_then(|child| child.parse().ok());
    child.ok_or_else(|| Error::new(format!("process {pid} is hakmem itself, and its program does not run")))
}

/// Whether the process handles a signal: one that it does not would end it.
pub(crate) fn catches(pid: i32, signal: i32) -> Result<bool> {
    let status = String::from_utf8_lossy(&read(pid, "status")?).into_owned();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    Ok(mask >> (signal - 1) & 1 == 1)
}

pub(crate) fn exists(pid: i32) -> bool {
    fs::metadata(format!("/proc/{pid}")).is_ok()
}

/// What could not be looked at, in the user's words.
pub(crate) fn cannot_look(pid: i32, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            Error::with(NO_PERMISSION, format!("process {pid} may not be looked at: run this as its user, or as root"))
        }
        _ if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)) => {
            Error::with(NO_PROCESS, format!("there is no process {pid}"))
        }
        _ => Error::new(format!("process {pid}: {error}")),
    }
}

fn read(pid: i32, file: &str) -> Result<Vec<u8>> {
    fs::read(format!("/proc/{pid}/{file}")).map_err(|error| cannot_look(pid, &error))
}

/// The process's number in its own namespace, where containers have one.
pub(crate) fn own_number(pid: i32) -> i32 {
    let status = read(pid, "status").unwrap_or_default();
    let status = String::from_utf8_lossy(&status).into_owned();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    numbers.and_then(|numbers| numbers.split_whitespace().last()?.parse().ok()).unwrap_or(pid)
}

/// Where a process's files are, if its mounts are not ours.
pub(crate) fn root(pid: i32) -> PathBuf {
    let mounts = |of: &str| fs::read_link(format!("/proc/{of}/ns/mnt")).ok();
    let same = mounts("self") == mounts(&pid.to_string());
    if same { PathBuf::new() } else { PathBuf::from(format!("/proc/{pid}/root")) }
}
