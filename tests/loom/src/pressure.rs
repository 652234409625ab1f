//! The kernel reports none.

pub(crate) fn after_fork() {}
