//! The knobs, set by each model.

use std::cell::Cell;

thread_local! {
    static NODES: Cell<i64> = const { Cell::new(64) };
    static CACHE: Cell<i64> = const { Cell::new(16) };
}

/// Sets the knobs of this execution.
pub(crate) fn set(remote_nodes: i64, superslab_cache: i64) {
    NODES.set(remote_nodes);
    CACHE.set(superslab_cache);
}

pub(crate) const TEXT_MAX: usize = 64;

pub(crate) mod text {
    /// Of HAKMEM_STATS.
    pub(crate) fn stats(_: &mut [u8]) -> &[u8] {
        b"text"
    }
}

pub(crate) fn is_ready() -> bool {
    true
}

pub(crate) mod hardened {
    pub(crate) const OFF: i64 = 0;
    pub(crate) const FULL: i64 = 1;
}

pub(crate) mod get {
    pub(crate) fn hardened() -> i64 {
        super::hardened::OFF
    }
    pub(crate) fn background() -> i64 {
        1
    }
    pub(crate) fn pressure() -> i64 {
        0
    }
    pub(crate) fn remote_nodes() -> i64 {
        super::NODES.get()
    }
    pub(crate) fn superslab_cache() -> i64 {
        super::CACHE.get()
    }
    pub(crate) fn trim_threshold() -> i64 {
        0
    }
    pub(crate) fn decay_ms() -> i64 {
        1000
    }
    pub(crate) fn slot_nodes() -> i64 {
        16
    }
    pub(crate) fn purge_batch() -> i64 {
        0
    }
    pub(crate) fn stats() -> i64 {
        1
    }
    pub(crate) fn thp() -> i64 {
        0
    }
    pub(crate) fn ss_acquire_debug() -> i64 {
        0
    }
    pub(crate) fn ss_free_debug() -> i64 {
        0
    }
}
