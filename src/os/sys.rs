//! System calls, by the instruction itself.
//!
//! libc's functions for them are what other preloaded libraries put their own in the place of: torsocks refuses what its
//! `syscall` does not know, libfaketime's `clock_gettime` allocates under a lock. Many are cancellation points besides, and a
//! thread cancelled in one would leave with our locks held. Nothing here does any of that, or changes errno.

use core::ffi::c_long;

use errno::Errno;

/// Makes system call `number`. What the kernel refuses comes back as the reason.
///
/// # Safety
/// As the call's.
#[inline(always)]
pub(super) unsafe fn call<const N: usize>(number: c_long, args: [usize; N]) -> Result<usize, Errno> {
    let arg = |index: usize| args.get(index).copied().unwrap_or(0);
    let _order = Order::of(number);
    // SAFETY: the caller's.
    let result = unsafe { raw(number, [arg(0), arg(1), arg(2), arg(3), arg(4), arg(5)]) };
    // The kernel's errors are -1 to -4095; no address or length is that high.
    if (-4095..0).contains(&result) { Err(Errno(-result as i32)) } else { Ok(result as usize) }
}

/// What the kernel orders and ThreadSanitizer does not see, for tests/races.rs: what was done with pages before they went comes before whatever
/// is done with those that take their place.
struct Order;

impl Order {
    #[cfg(not(hakmem_races))]
    #[inline(always)]
    fn of(_: c_long) -> Option<Order> {
        None
    }

    #[cfg(hakmem_races)]
    fn of(number: c_long) -> Option<Order> {
        let order = matches!(number, libc::SYS_mmap | libc::SYS_munmap | libc::SYS_mremap).then_some(Order)?;
        // SAFETY: an address that is only compared.
        unsafe { __tsan_release((&raw const MAPPINGS).cast_mut().cast()) };
        Some(order)
    }
}

#[cfg(hakmem_races)]
impl Drop for Order {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { __tsan_acquire((&raw const MAPPINGS).cast_mut().cast()) };
    }
}

#[cfg(hakmem_races)]
static MAPPINGS: u64 = 0;

#[cfg(hakmem_races)]
unsafe extern "C" {
    fn __tsan_acquire(at: *mut core::ffi::c_void);
    fn __tsan_release(at: *mut core::ffi::c_void);
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
unsafe fn raw(number: c_long, args: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the caller's; the kernel changes rax, rcx and r11, and what the arguments point to.
    unsafe {
        core::arch::asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") args[0],
            in("rsi") args[1],
            in("rdx") args[2],
            in("r10") args[3],
            in("r8") args[4],
            in("r9") args[5],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

#[cfg(all(target_arch = "aarch64", not(miri)))]
#[inline(always)]
unsafe fn raw(number: c_long, args: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the caller's; the kernel changes x0, and what the arguments point to.
    unsafe {
        core::arch::asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") args[0] => result,
            in("x1") args[1],
            in("x2") args[2],
            in("x3") args[3],
            in("x4") args[4],
            in("x5") args[5],
            options(nostack),
        );
    }
    result
}

/// Elsewhere by libc, with the weaknesses above; errno is put back.
#[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
unsafe fn raw(number: c_long, args: [usize; 6]) -> isize {
    let saved = errno::errno();
    // SAFETY: the caller's.
    let result = unsafe { libc::syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]) };
    let why = errno::errno();
    errno::set_errno(saved);
    if result == -1 { -why.0 as isize } else { result as isize }
}

/// Tells the caller why by errno, as libc's own functions do.
pub(super) fn noted<T>(result: Result<T, Errno>) -> Option<T> {
    result.map_err(errno::set_errno).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_answers_or_says_why_and_errno_stays() {
        errno::set_errno(Errno(4711));
        // SAFETY: asks for a number.
        assert_eq!(unsafe { call(libc::SYS_getpid, []) }, Ok(std::process::id() as usize));
        // SAFETY: refused.
        assert_eq!(unsafe { call(libc::SYS_close, [usize::MAX]) }, Err(Errno(libc::EBADF)));
        assert_eq!(errno::errno(), Errno(4711));
        assert_eq!(noted::<()>(Err(Errno(libc::EINVAL))), None);
        assert_eq!(errno::errno(), Errno(libc::EINVAL));
    }

    #[test]
    fn all_six_arguments_arrive() {
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        let fd = std::os::fd::AsRawFd::as_raw_fd(&file) as usize;
        // The sixth is the offset, which must be a multiple of the page's size.
        let map = |offset: usize| {
            let args = [0, 4096, libc::PROT_READ as usize, libc::MAP_PRIVATE as usize, fd, offset];
            // SAFETY: a fresh mapping of a file.
            unsafe { call(libc::SYS_mmap, args) }
        };
        assert_eq!(map(1), Err(Errno(libc::EINVAL)));
        let at = map(0).unwrap();
        // SAFETY: mapped above.
        assert_eq!(unsafe { (at as *const [u8; 4]).read() }, *b"\x7fELF");
        // SAFETY: mapped above, and not used any more.
        assert_eq!(unsafe { call(libc::SYS_munmap, [at, 4096]) }, Ok(0));
    }
}
