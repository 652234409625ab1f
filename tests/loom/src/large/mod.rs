//! Of box `large` the blocks that wait at seats, and their models: their door is as private as in the crate. Records are few and stay.

#[path = "../../../../src/large/cache.rs"]
mod cache;
pub mod model;
#[path = "../../../../src/large/warm.rs"]
mod warm;

use std::cell::RefCell;
use std::ptr::NonNull;

use crate::base::addr::Addr;
use crate::page_map;
use cache::Range;

/// What `warm` asks of a record.
struct Large {
    base: Addr,
    bytes: usize,
    waits: bool,
}

enum Freed {
    Waits,
    Homeless(Range),
}

thread_local! {
    static KEPT: RefCell<Vec<Range>> = const { RefCell::new(Vec::new()) };
}

/// Starts a new execution.
pub(crate) fn reset() {
    KEPT.take();
}

fn forget(at: Addr, _: NonNull<Large>) {
    drop(page_map::strike(at, 1));
}

fn dirty_bytes() -> u64 {
    u64::MAX
}

mod mapping {
    use super::{KEPT, Range};

    pub(super) const IN_TURN: usize = 32 << 20;

    pub(super) fn keep(range: Range) {
        KEPT.with_borrow_mut(|kept| kept.push(range));
    }
}
