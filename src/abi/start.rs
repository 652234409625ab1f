//! The library's constructor: fork handlers, and what was asked for at start or exit.
//!
//! `malloc` works before it: whatever is served earlier is served without this.

use core::ffi::c_void;

use crate::config::{self, get};
use crate::{canary, front, guard, hardened, learn, os, profile, reclaim, record, report, trace};

// SAFETY: runs once, in the loader, before `main`; calls only libc functions that are ready by then.
#[ctor::ctor(unsafe)]
fn start() {
    // What is read before it is written to takes two page faults.
    os::sealed::open();
    canary::make();
    let configured = config::ready();
    if hardened::is_on() {
        os::closed::start();
    }
    learn::load();
    os::fork::at_fork(prepare, parent, child);
    #[cfg(all(feature = "override", not(test)))]
    super::cxx::start();
    #[cfg(all(feature = "override", not(test), optimised))]
    super::dl::start();
    trace::start();
    if get::prof() == 1 && front::start_profile().is_err() {
        os::write_stderr(b"hakmem: HAKMEM_PROF=1: no memory, or no unwinder in a program that is wholly static\n");
    }
    guard::start();
    if get::help() == 1 {
        config::print_help();
    }
    // Also when nothing is asked for yet: both switches may be set while the program runs.
    os::fork::at_exit(exit);
    if let Some(number) = signal(get::stats_signal()) {
        front::report_at_signal(number, report::at_signal);
    }
    if let Some(number) = signal(get::prof_signal()) {
        // Now, since the answer may come while the loader is at work.
        if front::prepare_profile().is_err() {
            os::write_stderr(
                b"hakmem: HAKMEM_PROF_SIGNAL: no memory, or no unwinder in a program that is wholly static\n",
            );
        }
        // All the same: without a handler the signal would end the process.
        front::profile_at_signal(number);
    }
    reclaim::allow_background();
    // Inside the loader's start options are read later.
    if configured {
        // Looked at by now, lest the first time comes later.
        os::monotonic_ms();
        os::sealed::close();
    }
}

/// The signal that a switch of signals names.
fn signal(chosen: i64) -> Option<i32> {
    // In the order of the switches' names.
    let signals = [libc::SIGUSR1, libc::SIGUSR2, libc::SIGHUP];
    signals.get(chosen.checked_sub(1)? as usize).copied()
}

extern "C" fn exit(_: *mut c_void) {
    hardened::at_exit();
    profile::at_exit();
    report::at_exit();
    record::at_exit();
    if get::tiny_heap_v2_stats() == 1 {
        report::print_tiny_heap();
    }
}

extern "C" fn prepare() {
    front::before_fork();
}

extern "C" fn parent() {
    front::after_fork(false);
    front::record_fork(false);
}

extern "C" fn child() {
    front::record_fork(true);
    hardened::at_fork_child();
    profile::at_fork_child();
    report::at_fork_child();
    reclaim::begin_in_child();
    front::after_fork(true);
}
