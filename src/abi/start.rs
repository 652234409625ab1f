//! The library's constructor: fork handlers, and what was asked for at start or exit.
//!
//! `malloc` works before it: whatever is served earlier is served without this.

use crate::config::{self, get};
use crate::os::lock::Fork;
use crate::{front, guard, hardened, heap, large, learn, meta, os, report, span, superslab, trace};

// SAFETY: runs once, in the loader, before `main`; calls only libc functions that are ready by then.
#[ctor::ctor(unsafe)]
fn start() {
    config::ready();
    learn::load();
    os::fork::at_fork(prepare, parent, child);
    #[cfg(all(feature = "override", not(test)))]
    super::cxx::start();
    trace::start();
    guard::start();
    if get::help() == 1 {
        config::print_help();
    }
    // Also when nothing is asked for yet: both switches may be set while the program runs.
    os::fork::at_exit(exit);
    // In the order of the switch's names.
    let signals = [0, libc::SIGUSR1, libc::SIGUSR2, libc::SIGHUP];
    match signals.get(get::stats_signal() as usize) {
        None | Some(0) => {}
        Some(&number) => front::answer_signal(number, report::at_signal),
    }
    front::allow_background();
}

extern "C" fn exit() {
    report::at_exit();
    if get::tiny_heap_v2_stats() == 1 {
        report::print_tiny_heap();
    }
}

/// In lock order: learn, report, config, registry, heaps, guard, large, spare claims, pool, meta.
extern "C" fn prepare() {
    learn::at_fork(Fork::Prepare);
    report::at_fork(Fork::Prepare);
    config::at_fork(Fork::Prepare);
    heap::at_fork(Fork::Prepare);
    guard::at_fork(Fork::Prepare);
    large::at_fork(Fork::Prepare);
    span::claims::at_fork(Fork::Prepare);
    superslab::at_fork(Fork::Prepare);
    meta::at_fork(Fork::Prepare);
}

extern "C" fn parent() {
    release(Fork::Parent);
}

extern "C" fn child() {
    release(Fork::Child);
    hardened::at_fork_child();
    front::after_fork();
}

fn release(side: Fork) {
    meta::at_fork(side);
    superslab::at_fork(side);
    span::claims::at_fork(side);
    large::at_fork(side);
    guard::at_fork(side);
    heap::at_fork(side);
    config::at_fork(side);
    report::at_fork(side);
    learn::at_fork(side);
}
