//! A file to write a report to. System calls only: stdio's streams allocate.

use core::ffi::{CStr, c_int};

/// Open for writing; closed when dropped.
pub(crate) struct File(c_int);

/// Whether `path` is a regular file or nothing yet, so that a new file may take its place.
pub(crate) fn may_replace(path: &CStr) -> bool {
    // SAFETY: all zero is a valid value of this struct of numbers.
    let mut stat: libc::stat = unsafe { core::mem::zeroed() };
    // SAFETY: a null-terminated path and a valid out-parameter. lstat: a link is not replaced, what it names is written.
    if unsafe { libc::lstat(path.as_ptr(), &mut stat) } == 0 {
        stat.st_mode & libc::S_IFMT == libc::S_IFREG
    } else {
        errno::errno().0 == libc::ENOENT
    }
}

/// Gives the file at `from` the name `to`. `false`: refused.
pub(crate) fn rename(from: &CStr, to: &CStr) -> bool {
    // SAFETY: null-terminated paths.
    unsafe { libc::rename(from.as_ptr(), to.as_ptr()) == 0 }
}

pub(crate) fn remove(path: &CStr) {
    // SAFETY: a null-terminated path.
    unsafe { libc::unlink(path.as_ptr()) };
}

impl File {
    /// Creates the file or empties it. `None`: refused, and errno says why.
    pub(crate) fn create(path: &CStr) -> Option<File> {
        File::open(path, libc::O_TRUNC)
    }

    /// Creates a file that was not there. `None`: it was, or refused.
    pub(crate) fn create_new(path: &CStr) -> Option<File> {
        File::open(path, libc::O_EXCL)
    }

    fn open(path: &CStr, how: c_int) -> Option<File> {
        let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_CLOEXEC | libc::O_NOCTTY | how;
        // SAFETY: a null-terminated path.
        let fd = unsafe { libc::open(path.as_ptr(), flags, 0o666 as libc::c_uint) };
        (fd >= 0).then(|| File(fd))
    }

    /// Writes all of `text`. `false`: refused, and errno says why.
    pub(crate) fn write(&self, text: &[u8]) -> bool {
        super::die::write_all(self.0, text)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: our own descriptor.
        unsafe { libc::close(self.0) };
    }
}
