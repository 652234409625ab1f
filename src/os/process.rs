//! What the kernel knows of this process.

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
    if unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) } != 0 {
        return Usage::default();
    }
    Usage {
        minor_faults: usage.ru_minflt as u64,
        major_faults: usage.ru_majflt as u64,
        peak_rss_bytes: usage.ru_maxrss as u64 * 1024,
    }
}

pub(crate) fn process_id() -> u64 {
    // SAFETY: none needed.
    unsafe { libc::getpid() as u64 }
}

/// Milliseconds since 1970 on the system's clock.
pub(crate) fn realtime_ms() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid out-parameter.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &mut now) };
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}
