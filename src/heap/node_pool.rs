//! The nodes that carry batches between heaps: a lock-free stack of spare ones over memory that never goes away.
//!
//! When it is empty a chunk is added under a mutex; when that fails too (the knob's limit, or out of memory) the caller
//! frees its block under the owner's lock instead. Nothing is lost and nothing is printed.

use super::node::Node;
use crate::base::index_stack::{IndexStack, Links};
use crate::base::sync::AtomicU32;
use crate::config;
use crate::meta;
use crate::os::lock::Mutex;
use crate::stats::counter::Counter;
use core::sync::atomic::{AtomicPtr, Ordering};

/// Nodes of one chunk, a record of meta: 16 KiB.
const PER_CHUNK: u32 = 32;
const CHUNKS: usize = 65_536 / PER_CHUNK as usize;

struct NodePool {
    spare: IndexStack,
    chunks: [AtomicPtr<Node>; CHUNKS],
    /// Chunks made so far.
    grown: Mutex<u32>,
}

#[unsafe(link_section = ".bss.tables")] // touched here and there: see docs/ARCHITECTURE.md, section 5
static POOL: NodePool = NodePool {
    spare: IndexStack::new(),
    chunks: [const { AtomicPtr::new(core::ptr::null_mut()) }; CHUNKS],
    grown: Mutex::new(0),
};
static NO_LINK: AtomicU32 = AtomicU32::new(0);
/// How often no node could be had.
pub(super) static RAN_DRY: Counter = Counter::new();

impl Links for NodePool {
    fn link(&self, index: u32) -> &AtomicU32 {
        match self.node(index) {
            // SAFETY: a node of a chunk, which is never freed; `link` is only ever used as an atomic.
            Some(node) => unsafe { &(*node).link },
            None => &NO_LINK,
        }
    }
}

impl NodePool {
    fn node(&self, index: u32) -> Option<*mut Node> {
        // Acquire pairs with the Release in `grow`: the chunk's memory is zeroed.
        let chunk = self.chunks.get((index / PER_CHUNK) as usize)?.load(Ordering::Acquire);
        (!chunk.is_null()).then(|| chunk.wrapping_add((index % PER_CHUNK) as usize))
    }

    /// Adds a chunk and keeps its first node for the caller.
    #[cold]
    fn grow(&self) -> Option<*mut Node> {
        let mut grown = self.grown.lock();
        // Another thread may have grown the pool while we waited.
        if let Some(index) = self.spare.pop(self) {
            return self.node(index);
        }
        if (*grown as i64) * PER_CHUNK as i64 >= config::get::remote_nodes() {
            return None;
        }
        let slot = self.chunks.get(*grown as usize)?;
        let chunk = meta::alloc(PER_CHUNK as usize * size_of::<Node>())?.as_ptr::<Node>();
        let first = *grown * PER_CHUNK;
        for offset in 0..PER_CHUNK {
            // SAFETY: a zeroed record of PER_CHUNK nodes, for which zero is valid; nobody else knows it yet.
            unsafe { (*chunk.add(offset as usize)).index = first + offset };
        }
        // Release pairs with the Acquire in `node`.
        slot.store(chunk, Ordering::Release);
        *grown += 1;
        for offset in 1..PER_CHUNK {
            self.spare.push(self, first + offset);
        }
        Some(chunk)
    }
}

/// An empty node; `None` when the pool ran dry. Any thread.
pub(super) fn take() -> Option<*mut Node> {
    let node = match POOL.spare.pop(&POOL) {
        Some(index) => POOL.node(index),
        None => POOL.grow(),
    };
    if node.is_none() {
        RAN_DRY.add(1);
    }
    node
}

/// Gives a node back. Any thread; the caller owns it.
pub(super) fn give(node: *mut Node) {
    // SAFETY: the caller owns the node.
    POOL.spare.push(&POOL, unsafe { (*node).index });
}

const _: () = assert!(PER_CHUNK as usize * size_of::<Node>() <= 16 << 10, "a chunk is one record of meta");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_nodes_are_distinct_and_come_back() {
        let taken: std::vec::Vec<_> = (0..100).filter_map(|_| take()).collect();
        assert_eq!(taken.len(), 100);
        let mut sorted = taken.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), 100);
        taken.into_iter().for_each(give);
        assert!(take().is_some_and(|node| {
            give(node);
            true
        }));
    }
}
