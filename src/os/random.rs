//! Random bytes from the kernel.

/// 256 bits that nobody outside can predict: from getrandom, else (refused, or too early) the 16 bytes that the kernel gives
/// each program at its start, stirred with the clock.
pub(crate) fn random() -> [u64; 4] {
    let mut bits = [0u64; 4];
    let len = size_of_val(&bits);
    // SAFETY: `bits` is `len` bytes long. Not blocking: at boot there may be no entropy yet.
    let got = unsafe { libc::syscall(libc::SYS_getrandom, bits.as_mut_ptr(), len, libc::GRND_NONBLOCK) };
    if got != len as i64 {
        // SAFETY: reads the auxiliary vector.
        let seed = unsafe { libc::getauxval(libc::AT_RANDOM) } as *const [u64; 2];
        let [low, high] = if seed.is_null() {
            [0, 0]
        } else {
            // SAFETY: the kernel put 16 bytes there, at no particular alignment.
            unsafe { seed.read_unaligned() }
        };
        let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `now` is a valid out-parameter.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
        bits = [low, high, now.tv_nsec as u64, bits.as_ptr().addr() as u64];
    }
    bits
}
