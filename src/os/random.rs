//! Random bytes from the kernel.

use super::{clock, sys};

/// Words that nobody outside can predict: from getrandom, else (refused, or too early) the 16 bytes that the kernel gives
/// each program at its start, stirred with the clock.
pub(crate) fn random<const N: usize>() -> [u64; N] {
    let mut bits = [0u64; N];
    let len = size_of_val(&bits);
    // SAFETY: `bits` is `len` bytes long. Not blocking: at boot there may be no entropy yet.
    let got = unsafe { sys::call(libc::SYS_getrandom, [bits.as_mut_ptr().addr(), len, libc::GRND_NONBLOCK as usize]) };
    if got != Ok(len) {
        // SAFETY: reads the auxiliary vector.
        let seed = unsafe { libc::getauxval(libc::AT_RANDOM) } as *const [u64; 2];
        let [low, high] = if seed.is_null() {
            [0, 0]
        } else {
            // SAFETY: the kernel put 16 bytes there, at no particular alignment.
            unsafe { seed.read_unaligned() }
        };
        let now = clock::now(libc::CLOCK_MONOTONIC);
        let parts = [low, high, now.tv_nsec as u64, bits.as_ptr().addr() as u64];
        for (turn, four) in (0..).zip(bits.chunks_mut(4)) {
            for (word, part) in four.iter_mut().zip(parts) {
                *word = part.rotate_left(turn * 16);
            }
        }
    }
    bits
}
