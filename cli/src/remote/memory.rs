//! `Memory`: the bytes of a process or of a core file, by address.

use std::fs::File;
use std::io;

use super::bytes::u64_at;
use super::core::Core;
use super::maps::{self, Mapping};
use crate::error::{Error, NO_PERMISSION, NO_PROCESS, Result};

pub(crate) enum Memory {
    Process(i32),
    Core(Core),
}

/// Ranges that one call takes (`IOV_MAX`).
const RANGES: usize = 1024;

impl Memory {
    /// A process's, if it is there and may be read.
    pub(crate) fn of_process(pid: i32) -> Result<Memory> {
        let maps = maps::of_process(pid)?;
        let memory = Memory::Process(pid);
        // Maps may be seen by whom memory may not: Yama.
        let readable = maps.iter().find(|mapping| mapping.read && !mapping.is_special());
        match readable {
            Some(mapping) => memory.probe(mapping.start).map(|()| memory),
            None => Ok(memory),
        }
    }

    fn probe(&self, at: u64) -> Result<()> {
        let Memory::Process(pid) = self else { return Ok(()) };
        let mut byte = [0_u8; 1];
        match read_all(*pid, &[(at, 1)], &mut byte) {
            Err(error) => Err(refused(*pid, &error)),
            Ok(_) => Ok(()),
        }
    }

    /// `len` bytes at `at`; `None`: not all of them are there.
    pub(crate) fn read(&self, at: u64, len: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; len];
        self.read_into(at, &mut bytes).then_some(bytes)
    }

    /// Fills `bytes` from `at` on. `false`: not all of it is there.
    pub(crate) fn read_into(&self, at: u64, bytes: &mut [u8]) -> bool {
        match self {
            Memory::Process(pid) => {
                let len = bytes.len();
                read_all(*pid, &[(at, len)], bytes).is_ok_and(|done| done == len)
            }
            Memory::Core(core) => core.read_into(at, bytes),
        }
    }

    /// Many ranges, one behind the other; what is not there reads as zero.
    pub(crate) fn read_many(&self, ranges: &[(u64, usize)]) -> Vec<u8> {
        let mut bytes = vec![0; ranges.iter().map(|&(_, len)| len).sum()];
        let mut rest: &mut [u8] = &mut bytes;
        for chunk in ranges.chunks(RANGES) {
            let len = chunk.iter().map(|&(_, len)| len).sum();
            let (now, later) = std::mem::take(&mut rest).split_at_mut(len);
            rest = later;
            let whole = match self {
                Memory::Process(pid) => read_all(*pid, chunk, now).is_ok_and(|done| done == len),
                Memory::Core(_) => false,
            };
            if !whole {
                self.read_each(chunk, now);
            }
        }
        bytes
    }

    fn read_each(&self, ranges: &[(u64, usize)], bytes: &mut [u8]) {
        let mut rest = bytes;
        for &(at, len) in ranges {
            let (now, later) = rest.split_at_mut(len);
            rest = later;
            if !self.read_into(at, now) {
                now.fill(0);
            }
        }
    }

    /// Words of eight bytes.
    pub(crate) fn words(&self, at: u64, count: usize) -> Option<Vec<u64>> {
        let bytes = self.read(at, count * 8)?;
        Some(bytes.chunks_exact(8).map(|word| u64_at(word, 0)).collect())
    }

    pub(crate) fn word(&self, at: u64) -> Option<u64> {
        self.words(at, 1)?.first().copied()
    }

    pub(crate) fn maps(&self) -> Result<Vec<Mapping>> {
        match self {
            Memory::Process(pid) => maps::of_process(*pid),
            Memory::Core(core) => Ok(core.mappings.clone()),
        }
    }

    /// The process, where it is one that runs.
    pub(crate) fn process(&self) -> Option<i32> {
        match self {
            Memory::Process(pid) => Some(*pid),
            Memory::Core(_) => None,
        }
    }

    /// The most that can be resident.
    pub(super) fn most(&self) -> u64 {
        match self {
            Memory::Process(_) => u64::MAX,
            Memory::Core(core) => core.size(),
        }
    }

    pub(crate) fn pagemap(&self) -> Option<File> {
        File::open(format!("/proc/{}/pagemap", self.process()?)).ok()
    }
}

/// By one call. Says how many bytes came: the kernel stops at the first range that is not all there.
fn read_all(pid: i32, ranges: &[(u64, usize)], bytes: &mut [u8]) -> io::Result<usize> {
    let iovec = |&(at, len): &(u64, usize)| libc::iovec {
        iov_base: std::ptr::without_provenance_mut(usize::try_from(at).unwrap_or(0)),
        iov_len: len,
    };
    let remote: Vec<libc::iovec> = ranges.iter().map(iovec).collect();
    let local = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: the kernel writes to `bytes` only, and `remote` lists addresses of the other process.
    let done = unsafe { libc::process_vm_readv(pid, &local, 1, remote.as_ptr(), remote.len() as libc::c_ulong, 0) };
    usize::try_from(done).map_err(|_| io::Error::last_os_error())
}

/// What is said of a process whose memory may not be read.
fn refused(pid: i32, error: &io::Error) -> Error {
    match error.raw_os_error() {
        Some(libc::ESRCH) => Error::with(NO_PROCESS, format!("there is no process {pid}")),
        Some(libc::EPERM) => Error::with(NO_PERMISSION, maps::permission(pid)),
        // Not one that says no: a zombie, or a page that is gone by now.
        _ => Error::with(NO_PROCESS, format!("process {pid}: {error}")),
    }
}
