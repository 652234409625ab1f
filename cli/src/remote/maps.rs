//! What a process has mapped, as `/proc/PID/maps` and `smaps` list it.

use std::fs;
use std::io;

use super::bytes::page_size;
use crate::error::{Error, NO_PERMISSION, NO_PROCESS, Result};

#[derive(Clone, Debug, Default)]
pub(crate) struct Mapping {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) execute: bool,
    /// With other processes, or with a file's pages.
    pub(crate) shared: bool,
    pub(crate) offset: u64,
    /// The file, or what the kernel calls it: `[heap]`, `[stack]`, `[anon:hakmem: blocks]`; empty where it has no name.
    pub(crate) name: String,
    /// Bytes that are resident, if that was asked for.
    pub(crate) rss: u64,
}

impl Mapping {
    pub(crate) fn len(&self) -> u64 {
        self.end - self.start
    }

    #[allow(dead_code, reason = "for who has an address")]
    pub(crate) fn holds(&self, at: u64) -> bool {
        (self.start..self.end).contains(&at)
    }

    pub(crate) fn is_file(&self) -> bool {
        self.name.starts_with('/')
    }

    /// Pages that only the kernel knows how to read.
    pub(crate) fn is_special(&self) -> bool {
        matches!(self.name.as_str(), "[vvar]" | "[vvar_vclock]" | "[vsyscall]" | "[vdso]")
            || self.name.starts_with("/dev/")
    }
}

/// Where the memory ends that begins at `at`, or `at` itself where none does. `maps`: in order.
pub(crate) fn end_from(maps: &[Mapping], at: u64) -> u64 {
    let first = maps.partition_point(|mapping| mapping.end <= at);
    let mut end = at;
    for mapping in maps.iter().skip(first) {
        if mapping.start > end {
            break;
        }
        end = mapping.end;
    }
    end
}

pub(crate) fn of_process(pid: i32) -> Result<Vec<Mapping>> {
    Ok(parse(&read(pid, "maps")?))
}

/// With what of each is resident: the kernel looks at every page.
pub(crate) fn with_residency(pid: i32) -> Result<Vec<Mapping>> {
    Ok(parse(&read(pid, "smaps")?))
}

/// What all of them have resident, as the kernel counts it on the way: some pages wrong, and anybody may see it.
pub(crate) fn resident_about(pid: i32) -> Option<u64> {
    let text = read(pid, "statm").ok()?;
    text.split_whitespace().nth(1)?.parse::<u64>().ok().map(|pages| pages * page_size())
}

fn read(pid: i32, file: &str) -> Result<String> {
    let bytes = fs::read(format!("/proc/{pid}/{file}")).map_err(|error| refused(pid, &error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn refused(pid: i32, error: &io::Error) -> Error {
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::ESRCH) => Error::with(NO_PROCESS, format!("there is no process {pid}")),
        Some(libc::EACCES | libc::EPERM) => Error::with(NO_PERMISSION, permission(pid)),
        _ => Error::new(format!("process {pid}: {error}")),
    }
}

/// What is said of a process that may not be looked at.
pub(super) fn permission(pid: i32) -> String {
    let scope = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    let yama = match scope.trim() {
        "1" | "2" => {
            "; kernel.yama.ptrace_scope is set, so being its user is not enough (sysctl kernel.yama.ptrace_scope=0 changes that)"
        }
        "3" => "; kernel.yama.ptrace_scope is 3: nobody may, until the next boot",
        _ => "",
    };
    format!("process {pid} may not be read: run this as its user, as root, or with CAP_SYS_PTRACE{yama}")
}

fn parse(text: &str) -> Vec<Mapping> {
    let mut mappings: Vec<Mapping> = Vec::new();
    for line in text.lines() {
        if let Some(mapping) = heading(line) {
            mappings.push(mapping);
        } else if let Some(rss) = line.strip_prefix("Rss:").and_then(kib) {
            if let Some(last) = mappings.last_mut() {
                last.rss = rss;
            }
        }
    }
    mappings
}

/// `7f0000000000-7f0000001000 r--p 00000000 fe:00 1234      /usr/lib/libc.so.6`
fn heading(line: &str) -> Option<Mapping> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let mut fields = rest.splitn(5, ' ');
    let how = fields.next()?.as_bytes();
    let offset = u64::from_str_radix(fields.next()?, 16).ok()?;
    let name = fields.nth(2).unwrap_or("").trim_start();
    Some(Mapping {
        start: u64::from_str_radix(start, 16).ok()?,
        end: u64::from_str_radix(end, 16).ok()?,
        read: how.first() == Some(&b'r'),
        write: how.get(1) == Some(&b'w'),
        execute: how.get(2) == Some(&b'x'),
        shared: how.get(3) == Some(&b's'),
        offset,
        name: name.strip_suffix(" (deleted)").unwrap_or(name).to_owned(),
        rss: 0,
    })
}

/// `     123 kB`
fn kib(text: &str) -> Option<u64> {
    text.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_are_read_with_what_is_resident() {
        let text = "7f10-7f20 r-xp 00001000 fe:00 12 /a b/c.so (deleted)\nSize: 4 kB\nRss:                  12 kB\n\
                    7f30-7f40 rw-p 00000000 00:00 0 \nRss: 4 kB\n8000-9000 rw-p 00000000 00:00 0          [anon:hakmem: blocks]\n";
        let maps = parse(text);
        let seen: Vec<_> = maps.iter().map(|m| (m.start, m.end, m.write, m.rss, m.name.as_str())).collect();
        let expected = [
            (0x7f10, 0x7f20, false, 12288, "/a b/c.so"),
            (0x7f30, 0x7f40, true, 4096, ""),
            (0x8000, 0x9000, true, 0, "[anon:hakmem: blocks]"),
        ];
        assert_eq!(seen, expected);
        let ends = [0x7f00, 0x7f10, 0x7f35, 0x8fff].map(|at| end_from(&maps, at));
        assert_eq!(ends, [0x7f00, 0x7f20, 0x7f40, 0x9000]);
        assert!(maps.first().is_some_and(|m| m.execute
            && m.is_file()
            && m.holds(0x7f1f)
            && !m.holds(0x7f20)
            && m.len() == 16));
    }
}
