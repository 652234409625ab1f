//! A file that is written through mappings which all who have it share: what was written there stays when the process is killed. And a page of which a
//! child of fork finds nothing.

use core::ffi::{CStr, c_int};
use core::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use errno::Errno;

use super::{file, sys};
use crate::base::addr::Addr;

/// Where the descriptor is moved to, as far as the limit of files allows: above what most programs have, so that a number they count on is not
/// taken from them.
const HIGH: [usize; 3] = [900, 200, 50];

/// The file that is open: its descriptor, which the program may close all the same, and the file's own number. All zero: none is.
pub(crate) struct Shared {
    fd: AtomicI32,
    device: AtomicU64,
    inode: AtomicU64,
}

impl Shared {
    pub(crate) const fn none() -> Shared {
        Shared { fd: AtomicI32::new(0), device: AtomicU64::new(0), inode: AtomicU64::new(0) }
    }

    /// Makes the file, which was not there, for its owner alone, and forgets the one before. One thread at a time.
    pub(crate) fn create(&self, path: &CStr) -> Result<(), Errno> {
        self.close();
        let how = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW;
        let low = file::open_as(path, how, 0o600)?;
        let fd = HIGH.into_iter().find_map(|least| duplicate(low, least)).unwrap_or(low);
        if fd != low {
            file::close(low);
        }
        let (device, inode) = identity(fd).unwrap_or_default();
        // Relaxed, all of this file: whoever reads them acquired that the file is there.
        self.device.store(device, Ordering::Relaxed);
        self.inode.store(inode, Ordering::Relaxed);
        self.fd.store(fd, Ordering::Relaxed);
        Ok(())
    }

    /// Closes the descriptor, if it still is the file's.
    pub(crate) fn close(&self) {
        if let Some(fd) = self.own() {
            file::close(fd);
        }
        self.fd.store(0, Ordering::Relaxed);
    }

    /// Gives bytes of the file a place on the disk, zeroes, and maps them: at `at`, in place of a mapping that the caller gives up, or anywhere. `path`
    /// is where to look for the file if the program has closed the descriptor.
    pub(crate) fn map(&self, path: &CStr, offset: usize, len: usize, at: Addr) -> Result<Addr, Errno> {
        let kept = self.own();
        let fd = match kept {
            Some(fd) => fd,
            None => self.open_again(path)?,
        };
        let mapped = extend(fd, offset, len).and_then(|()| map(fd, offset, len, at));
        if kept.is_none() {
            file::close(fd);
        }
        mapped
    }

    /// The descriptor, if the file is what it names.
    fn own(&self) -> Option<c_int> {
        let fd = self.fd.load(Ordering::Relaxed);
        (fd != 0 && self.names(fd)).then_some(fd)
    }

    fn open_again(&self, path: &CStr) -> Result<c_int, Errno> {
        let fd = file::open_as(path, libc::O_RDWR | libc::O_NOFOLLOW, 0)?;
        if self.names(fd) {
            return Ok(fd);
        }
        file::close(fd);
        Err(Errno(libc::EBADF))
    }

    fn names(&self, fd: c_int) -> bool {
        let own = (self.device.load(Ordering::Relaxed), self.inode.load(Ordering::Relaxed));
        identity(fd) == Some(own)
    }
}

/// Another descriptor of the same file, of a number not below `least`.
fn duplicate(fd: c_int, least: usize) -> Option<c_int> {
    // SAFETY: concerns only the table of files.
    let high = unsafe { sys::call(libc::SYS_fcntl, [fd as usize, libc::F_DUPFD_CLOEXEC as usize, least]) };
    high.ok().map(|high| high as c_int)
}

/// What tells a file from all others.
fn identity(fd: c_int) -> Option<(u64, u64)> {
    // SAFETY: all zero is a valid value of this struct of numbers.
    let mut stat: libc::stat = unsafe { core::mem::zeroed() };
    // SAFETY: a valid out-parameter.
    unsafe { sys::call(libc::SYS_fstat, [fd as usize, (&raw mut stat).addr()]) }.ok()?;
    Some((stat.st_dev, stat.st_ino))
}

/// Has the disk set the bytes aside, lest the first write to a mapping of them finds it full and the process gets SIGBUS.
fn extend(fd: c_int, offset: usize, len: usize) -> Result<(), Errno> {
    let end = offset.checked_add(len).ok_or(Errno(libc::EFBIG))?;
    let mut limit = [0_u64; 2];
    let args = [0, libc::RLIMIT_FSIZE as usize, 0, limit.as_mut_ptr().addr()];
    // SAFETY: a valid out-parameter of two words.
    if unsafe { sys::call(libc::SYS_prlimit64, args) }.is_ok() && end as u64 > limit[0] {
        // The kernel would send SIGXFSZ.
        return Err(Errno(libc::EFBIG));
    }
    // SAFETY: concerns only the file.
    match unsafe { sys::call(libc::SYS_fallocate, [fd as usize, 0, offset, len]) } {
        Err(Errno(libc::EOPNOTSUPP | libc::ENOSYS)) => write_zeroes(fd, offset, len),
        done => done.map(drop),
    }
}

/// The same where a file system knows of no such call. `len`: a multiple of 4096.
#[cold]
fn write_zeroes(fd: c_int, offset: usize, len: usize) -> Result<(), Errno> {
    static ZEROES: [u8; 4096] = [0; 4096];
    for at in (offset..offset + len).step_by(ZEROES.len()) {
        // SAFETY: reads the zeroes.
        let wrote = unsafe { sys::call(libc::SYS_pwrite64, [fd as usize, ZEROES.as_ptr().addr(), ZEROES.len(), at]) }?;
        if wrote < ZEROES.len() {
            return Err(Errno(libc::ENOSPC));
        }
    }
    Ok(())
}

fn map(fd: c_int, offset: usize, len: usize, at: Addr) -> Result<Addr, Errno> {
    let fixed = if at.is_null() { 0 } else { libc::MAP_FIXED };
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let args = [at.0, len, protection as usize, (libc::MAP_SHARED | fixed) as usize, fd as usize, offset];
    // SAFETY: a fresh mapping, or one that takes the place of the caller's own, which it has given up.
    unsafe { sys::call(libc::SYS_mmap, args) }.map(Addr)
}

/// Puts memory of the calling process's own in the place of a shared mapping: what is still written there goes nowhere.
pub(crate) fn cut_off(at: Addr, len: usize) {
    let protection = (libc::PROT_READ | libc::PROT_WRITE) as usize;
    let how = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED) as usize;
    // SAFETY: the caller's mapping, which it only writes to.
    let _ = unsafe { sys::call(libc::SYS_mmap, [at.0, len, protection, how, usize::MAX, 0]) };
}

/// Ends a shared mapping.
pub(crate) fn unmap(at: Addr, len: usize) {
    // SAFETY: the caller's mapping, and nobody uses it any more. Refused, addresses are lost.
    let _ = unsafe { sys::call(libc::SYS_munmap, [at.0, len]) };
}

/// Has a child of fork, however it is made, find zeroes in these pages. `false`: the kernel does not (before Linux 4.14).
pub(crate) fn wipe_on_fork(at: Addr, len: usize) -> bool {
    const MADV_WIPEONFORK: usize = 18;
    // SAFETY: the caller's pages, and the call changes nothing in this process.
    unsafe { sys::call(libc::SYS_madvise, [at.0, len, MADV_WIPEONFORK]) }.is_ok()
}

/// Reads as much of the program's command line as there is room for: its words, each with a null behind it.
pub(crate) fn read_command(room: &mut [u8]) {
    let Ok(fd) = file::open(c"/proc/self/cmdline", libc::O_RDONLY) else { return };
    // SAFETY: room for as many bytes.
    let _ = unsafe { sys::call(libc::SYS_read, [fd as usize, room.as_mut_ptr().addr(), room.len()]) };
    file::close(fd);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    #[test]
    fn what_is_written_to_the_mapping_is_in_the_file_and_another_file_is_never_taken_for_it() {
        let dir = std::env::temp_dir().join(format!("hakmem-shared-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("file");
        let name = CString::new(path.to_str().unwrap()).unwrap();
        let shared = Shared::none();
        assert!(shared.map(&name, 0, 65_536, Addr::NULL).is_err());
        shared.create(&name).unwrap();
        assert!(Shared::none().create(&name) == Err(Errno(libc::EEXIST)));
        let at = shared.map(&name, 65_536, 65_536, Addr::NULL).unwrap();
        // SAFETY: mapped above.
        unsafe { at.as_ptr::<u8>().write(7) };
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.len() == 131_072 && bytes[65_536] == 7 && bytes[0] == 0);
        // Another part of it, in its place.
        assert!(shared.map(&name, 131_072, 65_536, at) == Ok(at));
        // The program closes it: found again by its name, unless that is another file's by then.
        file::close(shared.fd.load(Ordering::Relaxed));
        assert!(shared.map(&name, 0, 65_536, at) == Ok(at));
        // SAFETY: mapped.
        unsafe { at.as_ptr::<u8>().write(9) };
        assert_eq!(std::fs::read(&path).unwrap()[0], 9);
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, b"another").unwrap();
        assert!(shared.map(&name, 0, 65_536, Addr::NULL) == Err(Errno(libc::EBADF)));
        assert_eq!(std::fs::read(&path).unwrap(), b"another");
        cut_off(at, 65_536);
        unmap(at, 65_536);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn zeroes_take_room_where_the_file_system_gives_none_ahead() {
        let path = std::env::temp_dir().join(format!("hakmem-zeroes-{}", std::process::id()));
        let file = std::fs::File::create(&path).unwrap();
        write_zeroes(std::os::fd::AsRawFd::as_raw_fd(&file), 4096, 65_536).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 4096 + 65_536);
        std::fs::remove_file(&path).unwrap();
    }
}
