//! A file to write a report to. System calls only: stdio's streams allocate.

use core::ffi::{CStr, c_int};

use errno::Errno;

use super::sys;

/// Open for writing; closed when dropped.
pub(crate) struct File(c_int);

/// Paths are relative to the working directory.
const HERE: usize = libc::AT_FDCWD as usize;

/// Whether `path` is a regular file or nothing yet, so that a new file may take its place.
pub(crate) fn may_replace(path: &CStr) -> bool {
    // SAFETY: all zero is a valid value of this struct of numbers.
    let mut stat: libc::stat = unsafe { core::mem::zeroed() };
    let args = [HERE, path.as_ptr().addr(), (&raw mut stat).addr(), libc::AT_SYMLINK_NOFOLLOW as usize];
    // SAFETY: a null-terminated path and a valid out-parameter. A link is not replaced, what it names is written.
    match unsafe { sys::call(libc::SYS_newfstatat, args) } {
        Ok(_) => stat.st_mode & libc::S_IFMT == libc::S_IFREG,
        Err(why) => why == Errno(libc::ENOENT),
    }
}

/// Gives the file at `from` the name `to`. `false`: refused, and errno says why.
pub(crate) fn rename(from: &CStr, to: &CStr) -> bool {
    // SAFETY: null-terminated paths.
    sys::noted(unsafe { sys::call(libc::SYS_renameat2, [HERE, from.as_ptr().addr(), HERE, to.as_ptr().addr(), 0]) })
        .is_some()
}

pub(crate) fn remove(path: &CStr) {
    // SAFETY: a null-terminated path. Refused, the file stays.
    let _ = unsafe { sys::call(libc::SYS_unlinkat, [HERE, path.as_ptr().addr(), 0]) };
}

/// What the link at `path` names, as far as there is room for it; empty if it can't be read.
pub(crate) fn read_link<'a>(path: &CStr, room: &'a mut [u8]) -> &'a [u8] {
    let args = [HERE, path.as_ptr().addr(), room.as_mut_ptr().addr(), room.len()];
    // SAFETY: a null-terminated path, and room for as many bytes as it is told.
    let len = unsafe { sys::call(libc::SYS_readlinkat, args) }.unwrap_or(0);
    room.get(..len).unwrap_or_default()
}

/// Opens `path`, and says why not. What that makes is as the process's mask says.
pub(super) fn open(path: &CStr, how: c_int) -> Result<c_int, Errno> {
    open_as(path, how, 0o666)
}

pub(super) fn open_as(path: &CStr, how: c_int, mode: usize) -> Result<c_int, Errno> {
    let flags = how | libc::O_CLOEXEC | libc::O_NOCTTY;
    // SAFETY: a null-terminated path.
    let fd = unsafe { sys::call(libc::SYS_openat, [HERE, path.as_ptr().addr(), flags as usize, mode]) };
    fd.map(|fd| fd as c_int)
}

/// Closes a descriptor of our own.
pub(super) fn close(fd: c_int) {
    // SAFETY: nobody else uses it. Refused (it is none), nothing happens.
    let _ = unsafe { sys::call(libc::SYS_close, [fd as usize]) };
}

/// Writes all of `text` to a descriptor, or says why not.
pub(super) fn write_all(fd: c_int, mut text: &[u8]) -> Result<(), Errno> {
    while !text.is_empty() {
        // SAFETY: reads `text`.
        match unsafe { sys::call(libc::SYS_write, [fd as usize, text.as_ptr().addr(), text.len()]) } {
            Err(Errno(libc::EINTR)) => {}
            Err(why) => return Err(why),
            Ok(0) => return Err(Errno(libc::EIO)),
            Ok(wrote) => text = text.get(wrote..).unwrap_or_default(),
        }
    }
    Ok(())
}

impl File {
    /// Creates the file or empties it. `None`: refused, and errno says why. A pipe that nobody reads is refused (ENXIO), and
    /// so is what would wait for a slow reader of one (EAGAIN): the caller may be anywhere in a program.
    pub(crate) fn create(path: &CStr) -> Option<File> {
        sys::noted(open(path, libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC | libc::O_NONBLOCK)).map(File)
    }

    /// Creates a file that was not there. `None`: it was, or refused.
    pub(crate) fn create_new(path: &CStr) -> Option<File> {
        sys::noted(open(path, libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL)).map(File)
    }

    /// `create_new`, for its owner alone to read.
    pub(crate) fn create_private(path: &CStr) -> Option<File> {
        let how = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW;
        sys::noted(open_as(path, how, 0o600)).map(File)
    }

    /// Writes all of `text`. `false`: refused, and errno says why.
    pub(crate) fn write(&self, text: &[u8]) -> bool {
        sys::noted(write_all(self.0, text)).is_some()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        close(self.0);
    }
}
