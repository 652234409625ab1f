//! Of box `heap` the node pool, and its models: its door is as private as in the crate. And what the background thread asks of it.

use crate::base::sync::{AtomicU32, Ordering};

static UNHEARD: AtomicU32 = AtomicU32::new(0);

/// As in the crate, SeqCst, which to loom is less: the fences must do.
pub(crate) fn is_any_unheard() -> bool {
    UNHEARD.load(Ordering::SeqCst) == 1
}

/// From now on a thread may end without a word.
pub(crate) fn will_be_unheard() {
    UNHEARD.store(1, Ordering::SeqCst);
}

pub(crate) fn is_any_in_use() -> bool {
    true
}

#[path = "../../../../src/heap/node_pool.rs"]
mod node_pool;

/// A node as far as the pool knows it.
mod remote {
    use crate::base::sync::AtomicU32;

    #[repr(C)]
    pub(crate) struct Node {
        pub(super) link: AtomicU32,
        pub(super) index: u32,
        rest: [u64; 62],
    }
}

pub mod model;
