//! What a signal asked for is done here: at the end of a slow path, with no lock held.

use core::sync::atomic::{AtomicPtr, Ordering};

use errno::{errno, set_errno};

use crate::os::signal;

/// What to do: a `fn()`, or null.
static ANSWER: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// Takes `signal` as a request for `answer`, which runs on whatever thread comes to a slow path next. Call once.
pub(crate) fn answer_signal(number: i32, answer: fn()) {
    // Relaxed: a function's address publishes nothing.
    ANSWER.store(answer as *mut (), Ordering::Relaxed);
    signal::install(number);
}

/// Answers a request if there is one. Any thread that holds no lock of ours; keeps errno.
#[inline]
pub(super) fn answer() {
    if signal::take() {
        answer_slow();
    }
}

#[cold]
fn answer_slow() {
    let answer = ANSWER.load(Ordering::Relaxed);
    if answer.is_null() {
        return;
    }
    let saved = errno();
    // SAFETY: not null, so what `answer_signal` stored.
    let answer = unsafe { core::mem::transmute::<*mut (), fn()>(answer) };
    answer();
    set_errno(saved);
}
