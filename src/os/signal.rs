//! A signal as a request: its handler leaves a note, which a slow path finds.

use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, Ordering};

static DUE: AtomicBool = AtomicBool::new(false);

/// Takes `signal` as a request from now on. A handler that the program installs later takes its place.
pub(crate) fn install(signal: c_int) {
    // SAFETY: all zero is a valid value: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    action.sa_sigaction = note as extern "C" fn(c_int) as libc::sighandler_t;
    // The program's system calls go on as if nothing had come, and its small stacks are not used.
    action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
    // SAFETY: the handler lives as long as the library, which is linked `-z nodelete`; the old action is not wanted.
    unsafe { libc::sigaction(signal, &action, core::ptr::null_mut()) };
}

/// Only this: the handler may interrupt any code of ours, and hold none of our locks.
extern "C" fn note(_: c_int) {
    request();
}

/// Leaves the note.
pub(crate) fn request() {
    // Relaxed: a note publishes nothing.
    DUE.store(true, Ordering::Relaxed);
}

/// Takes the note, if there is one. Mostly one load.
#[inline]
pub(crate) fn take() -> bool {
    // Relaxed: as above; the swap makes one thread find it.
    DUE.load(Ordering::Relaxed) && DUE.swap(false, Ordering::Relaxed)
}
