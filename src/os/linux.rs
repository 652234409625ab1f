//! The `Os` of Linux. Raw `syscall`, not the libc wrappers: those are the ones other preloaded libraries interpose.

use core::sync::atomic::{AtomicUsize, Ordering};

use super::{Os, Resize};
use crate::base::addr::Addr;

pub(super) struct Linux;

const FAILED: i64 = -1;

impl Os for Linux {
    fn map(hint: Addr, len: usize) -> Option<Addr> {
        // SAFETY: a fresh anonymous mapping: no MAP_FIXED, so nothing that exists is touched.
        let at = unsafe {
            libc::syscall(
                libc::SYS_mmap,
                hint.0,
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0usize,
            )
        };
        (at != FAILED).then_some(Addr(at as usize))
    }

    fn move_onto(from: Addr, from_len: usize, to: Addr, to_len: usize) -> bool {
        // SAFETY: `to` was mapped by our caller for this, so MREMAP_FIXED replaces nobody else's pages.
        let at = unsafe {
            libc::syscall(libc::SYS_mremap, from.0, from_len, to_len, libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED, to.0)
        };
        at != FAILED
    }

    fn resize(at: Addr, old: usize, new: usize) -> Resize {
        // SAFETY: without MREMAP_MAYMOVE the kernel changes the mapping in place or not at all.
        match unsafe { libc::syscall(libc::SYS_mremap, at.0, old, new, 0) } {
            FAILED if errno::errno().0 == libc::ENOMEM => Resize::Blocked,
            FAILED => Resize::Never,
            _ => Resize::Done,
        }
    }

    fn purge(at: Addr, len: usize) -> bool {
        // SAFETY: the caller owns the pages and holds nothing in them.
        unsafe { libc::syscall(libc::SYS_madvise, at.0, len, libc::MADV_DONTNEED) == 0 }
    }

    fn unmap(at: Addr, len: usize) -> bool {
        // SAFETY: the caller owns the pages and holds nothing in them.
        unsafe { libc::syscall(libc::SYS_munmap, at.0, len) == 0 }
    }

    fn advise_huge(at: Addr, len: usize, huge: bool) -> bool {
        let advice = if huge { libc::MADV_HUGEPAGE } else { libc::MADV_NOHUGEPAGE };
        // SAFETY: the caller owns the pages, and their content stays.
        unsafe { libc::syscall(libc::SYS_madvise, at.0, len, advice) == 0 }
    }

    fn forbid(at: Addr, len: usize) -> bool {
        // Not mprotect: a program that locks itself in permits the calls an allocator can't do without, and mmap is one.
        // SAFETY: the caller owns the pages and will not touch them: they may be replaced by others.
        unsafe { replace(at, len, libc::PROT_NONE) }
    }

    fn permit(at: Addr, len: usize) -> bool {
        // SAFETY: the caller owns the pages, and `forbid` gave up what they held.
        unsafe { replace(at, len, libc::PROT_READ | libc::PROT_WRITE) }
    }
}

/// Puts untouched pages in the place of those at `at`. `false`: refused.
///
/// # Safety
/// The caller owns the pages and holds nothing in them.
unsafe fn replace(at: Addr, len: usize, protection: i32) -> bool {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
    // SAFETY: the caller's pages, and no others.
    unsafe { libc::syscall(libc::SYS_mmap, at.0, len, protection, flags, -1, 0usize) != FAILED }
}

/// Bytes of the pages at `at` that are resident, asked of the kernel; `len` where it refuses to say.
pub(crate) fn resident(at: Addr, len: usize) -> usize {
    const PAGES: usize = 128;
    let (page, mut done, mut resident) = (page_size(), 0, 0);
    while done < len {
        let part = (len - done).min(PAGES * page);
        let mut pages = [0u8; PAGES];
        // SAFETY: mincore writes a byte for each page of `part`, and those are PAGES at most; what is not mapped is refused.
        let refused = unsafe { libc::syscall(libc::SYS_mincore, at.0 + done, part, pages.as_mut_ptr()) } != 0;
        if refused {
            return len;
        }
        resident += pages.iter().filter(|&&page| page & 1 == 1).count() * page;
        done += part;
    }
    resident.min(len)
}

/// Milliseconds on the coarse monotonic clock (read from the vDSO, resolution some ms).
pub(crate) fn monotonic_ms() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid out-parameter.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &mut now) };
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}

/// Bytes of an OS page, from the kernel (AT_PAGESZ): 4, 16 or 64 KiB. Any thread.
pub(crate) fn page_size() -> usize {
    static SIZE: AtomicUsize = AtomicUsize::new(0);
    // Relaxed: every writer stores the same number.
    match SIZE.load(Ordering::Relaxed) {
        0 => {
            // SAFETY: reads the auxiliary vector.
            let size = unsafe { libc::getauxval(libc::AT_PAGESZ) } as usize;
            let size = if size.is_power_of_two() { size } else { 4096 };
            SIZE.store(size, Ordering::Relaxed);
            size
        }
        size => size,
    }
}

/// Feature `paranoid`: whether the process has one thread, as far as /proc says, and had no other before: in a child of
/// fork, counters may lack what the parent's threads were about to count.
#[cfg(feature = "paranoid")]
pub(crate) fn is_alone() -> bool {
    static PROCESS: AtomicUsize = AtomicUsize::new(0);
    // SAFETY: asks for a number.
    let process = unsafe { libc::getpid() } as usize;
    // Relaxed: every thread stores the same number, the first one before there is another process.
    let first =
        PROCESS.compare_exchange(0, process, Ordering::Relaxed, Ordering::Relaxed).unwrap_or_else(|first| first);
    if first != 0 && first != process {
        return false;
    }
    let mut text = [0_u8; 512];
    // SAFETY: opens a file for reading.
    let file = unsafe { libc::open(c"/proc/self/stat".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if file < 0 {
        return false;
    }
    // SAFETY: `text` has that many bytes.
    let len = unsafe { libc::read(file, text.as_mut_ptr().cast(), text.len()) };
    // SAFETY: opened above.
    unsafe { libc::close(file) };
    // Field 20, the 18th behind the name, which is in brackets.
    let text = text.get(..len.max(0) as usize).unwrap_or_default();
    let behind = text.iter().rposition(|&byte| byte == b')').and_then(|end| text.get(end + 2..)).unwrap_or_default();
    behind.split(|&byte| byte == b' ').nth(17) == Some(b"1")
}
