//! The `Os` of Linux.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use errno::Errno;

use super::kernel::{Os, Range, Resize};
use super::{returns, sys};
use crate::base::addr::Addr;

pub(super) struct Linux;

const MADV_DONTNEED_LOCKED: i32 = 24;
const MADV_POPULATE_WRITE: i32 = 23;

impl Os for Linux {
    fn map(hint: Addr, len: usize) -> Option<Addr> {
        // SAFETY: a fresh anonymous mapping: no MAP_FIXED, so nothing that exists is touched.
        unsafe { map(hint, len, libc::PROT_READ | libc::PROT_WRITE, 0) }
    }

    fn reserve(hint: Addr, len: usize) -> Option<Addr> {
        // SAFETY: as in `map`.
        unsafe { map(hint, len, libc::PROT_NONE, 0) }
    }

    fn move_onto(from: Addr, from_len: usize, to: Addr, to_len: usize) -> bool {
        let how = (libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED) as usize;
        // SAFETY: `to` was mapped by our caller for this, so MREMAP_FIXED replaces nobody else's pages.
        unsafe { sys::call(libc::SYS_mremap, [from.0, from_len, to_len, how, to.0]) }.is_ok()
    }

    fn move_pages(from: Addr, len: usize, to: Addr) -> bool {
        let how = (libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED | libc::MREMAP_DONTUNMAP) as usize;
        // SAFETY: as in `move_onto`.
        unsafe { sys::call(libc::SYS_mremap, [from.0, len, len, how, to.0]) }.is_ok()
    }

    fn resize(at: Addr, old: usize, new: usize) -> Resize {
        // SAFETY: without MREMAP_MAYMOVE the kernel changes the mapping in place or not at all.
        match unsafe { sys::call(libc::SYS_mremap, [at.0, old, new, 0]) } {
            Ok(_) => Resize::Done,
            Err(Errno(libc::ENOMEM)) => Resize::Blocked,
            Err(_) => Resize::Never,
        }
    }

    fn purge(at: Addr, len: usize) -> bool {
        // The second for pages that are locked in memory (`mlock`, and not undone before the block was freed): kernels from 5.18 on.
        [libc::MADV_DONTNEED, MADV_DONTNEED_LOCKED].into_iter().any(|advice| {
            returns::count(1, 1);
            // SAFETY: the caller owns the pages and holds nothing in them.
            unsafe { advise(at, len, advice) }
        })
    }

    fn purge_all(ranges: &[Range], together: bool) -> u64 {
        let mut done = if together { purge_together(ranges) } else { 0 };
        // One by one what did not go, where the call is not known, or was refused from some range on.
        for (index, range) in ranges.iter().enumerate() {
            if done >> index & 1 == 0 && Self::purge(range.at, range.len) {
                done |= 1 << index;
            }
        }
        done
    }

    fn unmap(at: Addr, len: usize) -> bool {
        // SAFETY: the caller owns the pages and holds nothing in them.
        unsafe { sys::call(libc::SYS_munmap, [at.0, len]) }.is_ok()
    }

    fn populate(at: Addr, len: usize) -> bool {
        static REFUSED: AtomicBool = AtomicBool::new(false);
        // Relaxed, here and below: asked in vain once more is no harm.
        if REFUSED.load(Ordering::Relaxed) {
            return false;
        }
        // SAFETY: the caller owns the pages, and their content stays.
        let done = unsafe { advise(at, len, MADV_POPULATE_WRITE) };
        if !done {
            REFUSED.store(true, Ordering::Relaxed);
        }
        done
    }

    fn advise_huge(at: Addr, len: usize, huge: bool) -> bool {
        // SAFETY: the caller owns the pages, and their content stays.
        unsafe { advise(at, len, if huge { libc::MADV_HUGEPAGE } else { libc::MADV_NOHUGEPAGE }) }
    }

    fn forbid(at: Addr, len: usize) -> bool {
        // Not mprotect: a program that locks itself in permits the calls an allocator can't do without, and mmap is one.
        // SAFETY: the caller owns the pages and will not touch them: they may be replaced by others.
        unsafe { map(at, len, libc::PROT_NONE, libc::MAP_FIXED) }.is_some()
    }

    fn permit(at: Addr, len: usize) -> bool {
        // SAFETY: the caller owns the pages, and `forbid` gave up what they held.
        unsafe { map(at, len, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_FIXED) }.is_some()
    }
}

/// Gives many ranges back by one call, which Linux has for a process's own memory from 6.15 on. A bit for each that went. Asked for
/// only by who wants it: seccomp filters that kill for a call they do not know are not to be found out about without one.
fn purge_together(ranges: &[Range]) -> u64 {
    const PIDFD_SELF: usize = -10_000_isize as usize;
    const SYS_PROCESS_MADVISE: libc::c_long = 440;
    static REFUSED: AtomicBool = AtomicBool::new(false);
    // Relaxed, here and below: asked in vain once more is no harm.
    if ranges.len() < 2 || REFUSED.load(Ordering::Relaxed) {
        return 0;
    }
    let args = [PIDFD_SELF, ranges.as_ptr().addr(), ranges.len(), libc::MADV_DONTNEED as usize, 0];
    // SAFETY: the caller owns the pages of all ranges and holds nothing in them.
    match unsafe { sys::call(SYS_PROCESS_MADVISE, args) } {
        Ok(bytes) => {
            let mut left = bytes;
            let whole = |range: &&Range| {
                let fits = range.len <= left;
                left = left.saturating_sub(range.len);
                fits
            };
            let count = ranges.iter().take_while(whole).count();
            returns::count(1, count as u64);
            u64::MAX.checked_shr(64 - count as u32).unwrap_or(0)
        }
        // The first range is locked in memory, say: no reason not to ask again.
        Err(Errno(libc::EINVAL | libc::ENOMEM)) => 0,
        Err(_) => {
            REFUSED.store(true, Ordering::Relaxed);
            0
        }
    }
}

/// Maps untouched pages of nobody's file. `None`: refused.
///
/// Without MAP_NORESERVE, with which the kernel hands out more than there is, and kills who touches it: a size that was read
/// from a damaged file is to be refused.
///
/// # Safety
/// With MAP_FIXED the caller owns the pages that were there and holds nothing in them.
unsafe fn map(at: Addr, len: usize, protection: i32, how: i32) -> Option<Addr> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | how;
    // No file: descriptor -1.
    let args = [at.0, len, protection as usize, flags as usize, usize::MAX, 0];
    // SAFETY: the caller's.
    unsafe { sys::call(libc::SYS_mmap, args) }.ok().map(Addr)
}

/// `false`: refused.
///
/// # Safety
/// The caller owns the pages, and can do without what the advice takes from them.
unsafe fn advise(at: Addr, len: usize, advice: i32) -> bool {
    // SAFETY: the caller's.
    unsafe { sys::call(libc::SYS_madvise, [at.0, len, advice as usize]) }.is_ok()
}

/// Bytes of the pages at `at` that are resident, asked of the kernel; `len` where it refuses to say.
pub(crate) fn resident(at: Addr, len: usize) -> usize {
    const PAGES: usize = 128;
    let (page, mut done, mut resident) = (page_size(), 0, 0);
    while done < len {
        let part = (len - done).min(PAGES * page);
        let mut pages = [0u8; PAGES];
        // SAFETY: mincore writes a byte for each page of `part`, and those are PAGES at most; what is not mapped is refused.
        if unsafe { sys::call(libc::SYS_mincore, [at.0 + done, part, pages.as_mut_ptr().addr()]) }.is_err() {
            return len;
        }
        resident += pages.iter().filter(|&&page| page & 1 == 1).count() * page;
        done += part;
    }
    resident.min(len)
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
    let process = super::process::process_id() as usize;
    // Relaxed: every thread stores the same number, the first one before there is another process.
    let first =
        PROCESS.compare_exchange(0, process, Ordering::Relaxed, Ordering::Relaxed).unwrap_or_else(|first| first);
    if first != 0 && first != process {
        return false;
    }
    let mut alone = false;
    super::lines::each_line(b"/proc/self/status\0", &mut [0; super::lines::LINE_MAX], &mut |line| {
        let threads = line.strip_prefix(b"Threads:\t");
        alone = threads == Some(b"1");
        threads.is_some()
    });
    alone
}
