//! Of box `heap` the node pool, and its models: its door is as private as in the crate.

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
