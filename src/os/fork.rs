//! Fork handlers, and one for the process's exit.
//!
//! By the calls that `pthread_atfork` and `atexit` stand for. These two are no part of libc.so, but are linked into each library, where a process
//! would take a page fault for nothing else. Neither is told whose the handlers are: the library is never unloaded.

use core::ffi::{c_int, c_void};
use core::ptr::null_mut;

unsafe extern "C" {
    fn __register_atfork(
        prepare: extern "C" fn(),
        parent: extern "C" fn(),
        child: extern "C" fn(),
        library: *mut c_void,
    ) -> c_int;
    fn __cxa_atexit(run: extern "C" fn(*mut c_void), argument: *mut c_void, library: *mut c_void) -> c_int;
}

/// Registers the three handlers. Call once, early: handlers registered first have their `prepare` run last.
pub(crate) fn at_fork(prepare: extern "C" fn(), parent: extern "C" fn(), child: extern "C" fn()) {
    // SAFETY: the handlers live as long as the library, which is linked `-z nodelete`.
    // A refusal (ENOMEM) leaves fork as it would be without us.
    unsafe { __register_atfork(prepare, parent, child, null_mut()) };
}

/// Registers a function to run at normal process exit.
pub(crate) fn at_exit(run: extern "C" fn(*mut c_void)) {
    // SAFETY: as above.
    unsafe { __cxa_atexit(run, null_mut(), null_mut()) };
}
