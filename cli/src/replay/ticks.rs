//! The processor's own clock: cheap enough to time a single call.

/// Before what is timed.
#[inline(always)]
pub(super) fn before() -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: every x86-64 has both. The fence keeps what comes before out.
        unsafe {
            core::arch::x86_64::_mm_lfence();
            core::arch::x86_64::_rdtsc()
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    other()
}

/// After it.
#[inline(always)]
pub(super) fn after() -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        let mut processor = 0;
        // SAFETY: every x86-64 that runs Linux has it. It waits for what comes before.
        unsafe { core::arch::x86_64::__rdtscp(&mut processor) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    other()
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn other() -> u64 {
    let ticks;
    // SAFETY: Linux lets programs read it.
    unsafe { core::arch::asm!("isb", "mrs {}, cntvct_el0", out(reg) ticks, options(nomem, nostack)) };
    ticks
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn other() -> u64 {
    now_ns()
}

/// What a look at it takes by itself.
pub(super) fn overhead() -> u64 {
    (0..1000).map(|_| before().abs_diff(after())).min().unwrap_or(0)
}

pub(super) fn now_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
