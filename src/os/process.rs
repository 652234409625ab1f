//! What the kernel knows of this process.

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
