//! What the kernel knows of this process.

use core::ffi::c_int;

use errno::Errno;

use super::sys;

/// Page faults and memory, by `getrusage`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) minor_faults: u64,
    pub(crate) major_faults: u64,
    pub(crate) peak_rss_bytes: u64,
}

/// All zero where the kernel refuses.
pub(crate) fn usage() -> Usage {
    // SAFETY: all zero is a valid value of this struct of numbers.
    let mut usage: libc::rusage = unsafe { core::mem::zeroed() };
    // SAFETY: `usage` is a valid out-parameter.
    if unsafe { sys::call(libc::SYS_getrusage, [libc::RUSAGE_SELF as usize, (&raw mut usage).addr()]) }.is_err() {
        return Usage::default();
    }
    Usage {
        minor_faults: usage.ru_minflt as u64,
        major_faults: usage.ru_majflt as u64,
        peak_rss_bytes: usage.ru_maxrss as u64 * 1024,
    }
}

pub(crate) fn process_id() -> u64 {
    // SAFETY: asks for a number, and is never refused.
    unsafe { sys::call(libc::SYS_getpid, []) }.unwrap_or(0) as u64
}

/// Whether the process may have only so many addresses (`RLIMIT_AS`).
pub(super) fn has_address_limit() -> bool {
    let mut limit = [libc::RLIM_INFINITY; 2];
    let args = [0, libc::RLIMIT_AS as usize, 0, limit.as_mut_ptr().addr()];
    // SAFETY: this process, of which it is only asked, into room for two numbers. Refused, there is none as far as is known.
    let _ = unsafe { sys::call(libc::SYS_prlimit64, args) };
    limit[0] != libc::RLIM_INFINITY
}

/// Gives the calling thread namespaces, and other things, of its own.
pub(crate) fn unshare(flags: c_int) -> Result<(), Errno> {
    // SAFETY: no memory is concerned: of that, a thread that is not the only one of its process can't leave any.
    unsafe { sys::call(libc::SYS_unshare, [flags as usize]) }.map(drop)
}

/// Moves the calling thread into the namespaces that `fd` names.
pub(crate) fn enter_namespace(fd: c_int, kind: c_int) -> Result<(), Errno> {
    // SAFETY: no memory is concerned.
    unsafe { sys::call(libc::SYS_setns, [fd as usize, kind as usize]) }.map(drop)
}
