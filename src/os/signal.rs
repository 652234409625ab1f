//! A signal as a request: its handler leaves a note, which a slow path finds.
#![forbid(unsafe_code)]

use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, Ordering};

use super::sigaction::Action;

static DUE: AtomicBool = AtomicBool::new(false);

/// Takes `signal` as a request from now on. A handler that the program installs later takes its place.
pub(crate) fn install(signal: c_int) {
    // The program's system calls go on as if nothing had come, and its small stacks are not used. The handler lives as long
    // as the library, which is linked `-z nodelete`.
    let action = Action::plain(note, libc::SA_RESTART | libc::SA_ONSTACK);
    // Refused, no report is asked for.
    let _ = action.install(signal);
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
