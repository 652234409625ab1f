//! What a command is to look at: a process by number or name, or a core file.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use super::Remote;
use super::core::Core;
use crate::error::{Error, NO_PROCESS, Result};
use crate::process;
use crate::served;

/// Opens the process or core file that `target` names. `None`: it is neither, but some other file.
pub(crate) fn open(target: &OsStr) -> Result<Option<Remote>> {
    if let Some(pid) = number(target) {
        return Remote::of_process(program_of(pid)?).map(Some);
    }
    let path = Path::new(target);
    if !path.exists() {
        return Remote::of_process(program_of(by_name(&target.to_string_lossy())?)?).map(Some);
    }
    Core::open(path)?.map(Remote::of_core).transpose()
}

/// The number of a process: `./123` is a file.
pub(crate) fn number(target: &OsStr) -> Option<i32> {
    let text = target.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    text.parse().ok().filter(|&pid| pid > 0)
}

fn program_of(pid: i32) -> Result<i32> {
    if !process::exists(pid) {
        return Err(Error::with(NO_PROCESS, format!("there is no process {pid}")));
    }
    process::program_of(pid)
}

/// The only process of this name.
pub(crate) fn by_name(name: &str) -> Result<i32> {
    let mine = i32::try_from(std::process::id()).unwrap_or(0);
    let is_it = |&pid: &i32| pid != mine && comm(pid) == name;
    let found: Vec<i32> = processes().into_iter().filter(is_it).collect();
    match found.as_slice() {
        [pid] => Ok(*pid),
        [] => Err(Error::with(NO_PROCESS, format!("there is no process {name}, and no file"))),
        many => {
            let list: Vec<String> = many.iter().map(i32::to_string).collect();
            Err(Error::usage(format!("{name} may be any of the processes {}: name one by its number", list.join(", "))))
        }
    }
}

/// Processes that have the library mapped, as far as they may be looked at.
pub(crate) fn served() -> Vec<(i32, String)> {
    let is_served = |pid: &i32| {
        let files = served::mapped_files(*pid).unwrap_or_default();
        files.iter().any(|file| crate::library::is_hakmem(file))
    };
    processes().into_iter().filter(is_served).map(|pid| (pid, comm(pid))).collect()
}

fn processes() -> Vec<i32> {
    let Ok(folder) = fs::read_dir("/proc") else { return Vec::new() };
    let mut pids: Vec<i32> = folder.flatten().filter_map(|entry| number(&entry.file_name())).collect();
    pids.sort_unstable();
    pids
}

pub(crate) fn comm(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned()
}
