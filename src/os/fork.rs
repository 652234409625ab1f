//! Fork handlers.

/// Registers the three handlers. Call once, early: handlers registered first have their `prepare` run last.
pub(crate) fn at_fork(prepare: extern "C" fn(), parent: extern "C" fn(), child: extern "C" fn()) {
    // SAFETY: the handlers live as long as the library, which is linked `-z nodelete`.
    // A refusal (ENOMEM) leaves fork as it would be without us.
    unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
}

/// Registers a function to run at normal process exit.
pub(crate) fn at_exit(run: extern "C" fn()) {
    // SAFETY: as above.
    unsafe { libc::atexit(run) };
}
