//! What a signal asked for is done here: at the end of a slow path, with no lock held.

use core::sync::atomic::Ordering;

use errno::{errno, set_errno};

use super::profiled;
use crate::os;
use crate::os::sealed::SEALED;
use crate::os::signal::{self, Request};
use crate::profile::{self, Occasion};

/// Takes `signal` as a request for `report`, which runs on whatever thread comes to a slow path next: its box is above this one. Call once,
/// before the constructor ends.
pub(crate) fn report_at_signal(signal: i32, report: fn()) {
    // Relaxed: a function's address publishes nothing.
    SEALED.report.store(report as *mut (), Ordering::Relaxed);
    signal::install(signal, Request::Report);
}

/// Takes `signal` as a request for the profiler's next step, likewise. All that it needs is there already.
pub(crate) fn profile_at_signal(signal: i32) {
    signal::install(signal, Request::Profile);
}

/// Answers requests if there are any. Any thread that holds no lock of ours; keeps errno.
#[inline]
pub(super) fn answer() {
    if signal::is_any_due() || profile::is_agent_news() {
        answer_slow();
    }
}

#[cold]
#[inline(never)]
fn answer_slow() {
    // In a handler that interrupted what takes locks: the next call will do.
    if os::gate::is_inside() {
        return;
    }
    let saved = errno();
    if profile::is_agent_news() {
        profiled::follow_agent();
    }
    if signal::take(Request::Profile) {
        profiled::at_signal();
    }
    if signal::take(Request::Occasion) {
        profile::write_occasions();
    }
    let report = SEALED.report.load(Ordering::Relaxed);
    if !report.is_null() && signal::take(Request::Report) {
        // SAFETY: not null, so what `report_at_signal` stored.
        let report = unsafe { core::mem::transmute::<*mut (), fn()>(report) };
        report();
    }
    set_errno(saved);
}

/// A request found no memory, and the program may end: at its hard limit a profile is written first.
#[cold]
#[inline(never)]
pub(super) fn refused() {
    if os::quota::took_refusal() {
        profile::note(Occasion::HardLimit);
        answer();
    }
}
