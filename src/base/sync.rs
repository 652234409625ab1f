//! The atomics of lock-free code. `tests/loom` compiles that code with loom's in place of this file.
#![forbid(unsafe_code)]

pub(crate) use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};
