//! A signal as a request: its handler leaves a note, which a slow path finds.
#![forbid(unsafe_code)]

use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use super::sigaction::Action;

/// What a signal may ask for; one may ask for two things.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// The statistics.
    Report,
    /// The profiler's next step.
    Profile,
    /// A profile that nobody asked for: no signal's.
    Occasion,
}

impl Request {
    /// Those of signals.
    const SIGNALLED: [Request; 2] = [Request::Report, Request::Profile];

    fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// By request: the signal that makes it, or 0.
static SIGNALS: [AtomicI32; Request::SIGNALLED.len()] = [const { AtomicI32::new(0) }; Request::SIGNALLED.len()];
/// The notes, a bit each.
static DUE: AtomicU32 = AtomicU32::new(0);

/// Takes `signal` as a request from now on. A handler that the program installs later takes its place.
pub(crate) fn install(signal: c_int, request: Request) {
    if let Some(slot) = SIGNALS.get(request as usize) {
        // Relaxed: the kernel orders what was before a handler's installation and what the handler does.
        slot.store(signal, Ordering::Relaxed);
    }
    // The program's system calls go on as if nothing had come, and its small stacks are not used. The handler lives as long
    // as the library, which is linked `-z nodelete`.
    let action = Action::plain(note, libc::SA_RESTART | libc::SA_ONSTACK);
    // Refused, nothing is asked for.
    let _ = action.install(signal);
}

/// Only this: the handler may interrupt any code of ours, and hold none of our locks.
extern "C" fn note(signal: c_int) {
    for (slot, kind) in SIGNALS.iter().zip(Request::SIGNALLED) {
        if slot.load(Ordering::Relaxed) == signal {
            request(kind);
        }
    }
}

/// Leaves the note.
pub(crate) fn request(request: Request) {
    // Relaxed: a note publishes nothing.
    DUE.fetch_or(request.bit(), Ordering::Relaxed);
}

/// Whether there is any note.
#[inline]
pub(crate) fn is_any_due() -> bool {
    // Relaxed: as above.
    DUE.load(Ordering::Relaxed) != 0
}

/// Takes the note of this request, if there is one: of several threads, one finds it.
pub(crate) fn take(request: Request) -> bool {
    DUE.fetch_and(!request.bit(), Ordering::Relaxed) & request.bit() != 0
}

/// In a child of fork: it was the parent who was asked.
pub(crate) fn forget() {
    DUE.store(0, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_asks_for_what_it_stands_for() {
        for (slot, signal) in SIGNALS.iter().zip([10, 12]) {
            slot.store(signal, Ordering::Relaxed);
        }
        note(12);
        assert!(is_any_due() && !take(Request::Report) && take(Request::Profile) && !take(Request::Profile));
        note(11);
        assert!(!is_any_due());
        SIGNALS[0].store(12, Ordering::Relaxed);
        note(12);
        assert!(take(Request::Report) && take(Request::Profile) && !is_any_due());
    }
}
