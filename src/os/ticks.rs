//! The processor's own counter of time: the same on all processors, read in some 20 cycles without a call.

/// Its value now. Not ordered with what is read or written around it to less than some hundred cycles.
#[inline(always)]
pub(crate) fn ticks() -> u64 {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: every x86-64 processor has the instruction.
    return unsafe { core::arch::x86_64::_rdtsc() };
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    {
        let ticks: u64;
        // SAFETY: Linux lets programs read the register.
        unsafe { core::arch::asm!("mrs {}, cntvct_el0", out(reg) ticks, options(nomem, nostack, preserves_flags)) };
        return ticks;
    }
    #[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
    super::clock::nanoseconds(libc::CLOCK_MONOTONIC)
}

/// How many of them there are in a second; 0: who wants to know has to measure.
pub(crate) fn ticks_per_second() -> u64 {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    return 0;
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    {
        let rate: u64;
        // SAFETY: as above.
        unsafe { core::arch::asm!("mrs {}, cntfrq_el0", out(reg) rate, options(nomem, nostack, preserves_flags)) };
        return rate;
    }
    #[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
    1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on() {
        let before = ticks();
        std::thread::sleep(std::time::Duration::from_millis(2));
        let passed = ticks() - before;
        // From a megahertz to ten gigahertz.
        assert!((1_000..1_000_000_000).contains(&passed), "{passed} in 2 ms");
        assert!(cfg!(target_arch = "x86_64") || ticks_per_second() > 0);
    }
}
