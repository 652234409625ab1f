//! A process, or what a core file kept of one, looked at from outside: nothing in it helps, or is disturbed.
//!
//! `Remote` finds the library's table of offsets (`find`, `layout`; `src/base/layout.rs` says what its words mean), and reads by it: the page map
//! (`page_map`), spans and their blocks (`spans`), heaps with all blocks that wait in them (`heaps`), large blocks (`large`). `Picture` is all of
//! that at one moment; `threads` tells whose heap is whose. What runs goes on meanwhile, so of what changes just then a figure may be a
//! block or two beside the truth; what is read is always there, for records are never unmapped.

pub(crate) mod bytes;
pub(crate) mod core;
pub(crate) mod find;
pub(crate) mod heaps;
pub(crate) mod large;
pub(crate) mod layout;
pub(crate) mod maps;
pub(crate) mod memory;
pub(crate) mod page_map;
pub(crate) mod picture;
pub(crate) mod resident;
pub(crate) mod spans;
pub(crate) mod target;
pub(crate) mod threads;

use std::cell::RefCell;

use crate::error::{Error, NOT_SERVED, Result};
use bytes::{page_size, u32_at};
use layout::Layout;
use maps::Mapping;
use memory::Memory;

/// One size class of the library.
#[derive(Clone, Copy)]
pub(crate) struct Class {
    pub(crate) block_size: u64,
    /// Bytes of a span.
    pub(crate) span_bytes: u64,
    /// Blocks of a span.
    pub(crate) capacity: u32,
}

pub(crate) struct Remote {
    pub(crate) memory: Memory,
    pub(crate) layout: Layout,
    pub(crate) classes: Vec<Class>,
    pub(crate) page_size: u64,
    /// The process's number: of a core file, that of the one it was made of.
    pub(crate) pid: i32,
    /// Heaps that were seen, newest first: they stay, and their list only grows at its head.
    heaps_seen: RefCell<Vec<u64>>,
}

impl Remote {
    /// Opens a process that HAKMEM serves.
    pub(crate) fn of_process(pid: i32) -> Result<Remote> {
        Remote::new(Memory::of_process(pid)?, pid, &format!("process {pid}"))
    }

    /// Opens a core file of such a process.
    pub(crate) fn of_core(core: core::Core) -> Result<Remote> {
        let (pid, name) = (core.pid, core.path.display().to_string());
        Remote::new(Memory::Core(core), pid, &name)
    }

    fn new(memory: Memory, pid: i32, name: &str) -> Result<Remote> {
        let page_size = page_size();
        let layout = find::layout(&memory, name)?;
        let classes = classes(&memory, &layout)
            .ok_or_else(|| Error::with(NOT_SERVED, format!("{name}: the library's tables can't be read")))?;
        Ok(Remote { memory, layout, classes, page_size, pid, heaps_seen: RefCell::new(Vec::new()) })
    }

    pub(crate) fn maps(&self) -> Result<Vec<Mapping>> {
        self.memory.maps()
    }

    pub(crate) fn class(&self, index: usize) -> Option<&Class> {
        self.classes.get(index)
    }
}

fn classes(memory: &Memory, layout: &Layout) -> Option<Vec<Class>> {
    let count = usize::try_from(layout.classes).ok().filter(|&count| count <= 4096)?;
    let sizes = memory.read(layout.block_size_at, count * 4)?;
    let slots = memory.read(layout.slots_at, count)?;
    let capacities = memory.read(layout.capacity_at, count * 4)?;
    let class = |index: usize| Class {
        block_size: u64::from(u32_at(&sizes, index * 4)),
        span_bytes: u64::from(slots.get(index).copied().unwrap_or(0)) * layout.granule,
        capacity: u32_at(&capacities, index * 4),
    };
    let classes: Vec<Class> = (0..count).map(class).collect();
    // As `Layout::is_sane`.
    let fits = |class: &Class| {
        let used = class.block_size * u64::from(class.capacity);
        (1..=16 << 20).contains(&used) && used <= class.span_bytes
    };
    let rises = classes.windows(2).all(|pair| matches!(pair, [one, next] if one.block_size < next.block_size));
    (rises && classes.iter().all(fits)).then_some(classes)
}
