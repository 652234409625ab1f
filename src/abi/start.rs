//! The library's constructor: fork handlers, and what was asked for at start or exit.
//!
//! `malloc` works before it: whatever is served earlier is served without this.

use crate::base::lock::Fork;
use crate::config::{self, get};
use crate::{heap, large, meta, os, report, superslab};

// SAFETY: runs once, in the loader, before `main`; calls only libc functions that are ready by then.
#[ctor::ctor(unsafe)]
fn start() {
    config::ready();
    os::fork::at_fork(prepare, parent, child);
    #[cfg(all(feature = "override", not(test)))]
    super::cxx::start();
    if get::help() == 1 {
        config::print_help();
    }
    if get::stats() == 1 || get::tiny_heap_v2_stats() == 1 {
        os::fork::at_exit(exit);
    }
}

extern "C" fn exit() {
    if get::stats() == 1 {
        report::print();
    }
    if get::tiny_heap_v2_stats() == 1 {
        report::print_tiny_heap();
    }
}

/// In lock order: registry, heaps, large, pool, meta.
extern "C" fn prepare() {
    heap::at_fork(Fork::Prepare);
    large::at_fork(Fork::Prepare);
    superslab::at_fork(Fork::Prepare);
    meta::at_fork(Fork::Prepare);
}

extern "C" fn parent() {
    release(Fork::Parent);
}

extern "C" fn child() {
    release(Fork::Child);
}

fn release(side: Fork) {
    meta::at_fork(side);
    superslab::at_fork(side);
    large::at_fork(side);
    heap::at_fork(side);
}
