//! Sleeping until a word changes, and waking who sleeps.

use core::sync::atomic::AtomicU32;

use super::sys;

/// Sleeps as long as `word` is `expected`, for `ms` milliseconds at most if that is said. May return early: the caller looks again.
pub(super) fn wait(word: &AtomicU32, expected: u32, ms: Option<u64>) {
    let left = ms.map(|ms| libc::timespec {
        tv_sec: (ms / 1000) as libc::time_t,
        tv_nsec: (ms % 1000 * 1_000_000) as libc::c_long,
    });
    let left = left.as_ref().map_or(0, |left| (&raw const *left).addr());
    let how = (libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG) as usize;
    // SAFETY: a private wait on a live word; any outcome (EAGAIN, EINTR, ENOSYS) only makes the caller look again.
    let _ = unsafe { sys::call(libc::SYS_futex, [word.as_ptr().addr(), how, expected as usize, left]) };
}

/// Wakes `count` of those that sleep on `word`, if there are as many.
pub(super) fn wake(word: &AtomicU32, count: u32) {
    let how = (libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG) as usize;
    // SAFETY: waking needs only the word's address; nothing is written.
    let _ = unsafe { sys::call(libc::SYS_futex, [word.as_ptr().addr(), how, count as usize]) };
}
