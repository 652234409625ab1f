//! Of box `large` the blocks that wait at seats, and their models: their door is as private as in the crate. Records are few and stay.

#[path = "../../../../src/large/cache.rs"]
mod cache;
pub mod model;
#[path = "../../../../src/large/warm.rs"]
mod warm;

use std::cell::RefCell;

use cache::Range;

thread_local! {
    static KEPT: RefCell<Vec<Range>> = const { RefCell::new(Vec::new()) };
}

/// Starts a new execution.
pub(crate) fn reset() {
    KEPT.take();
}

mod record {
    use crate::base::addr::Addr;
    use crate::page_map;

    /// What `warm` asks of a record.
    pub(super) struct Large {
        pub(super) base: Addr,
        pub(super) bytes: usize,
        pub(super) waits: bool,
    }

    pub(super) fn leave(at: Addr) {
        page_map::leave(at);
    }
}

mod counts {
    pub(super) fn dirty_bytes() -> u64 {
        u64::MAX
    }
}

mod keep {
    use super::cache::Cache;
    use super::{KEPT, Range};

    pub(super) const IN_TURN: usize = 32 << 20;

    pub(super) fn keep(range: Range) {
        keep_all(&mut [range], |_| ());
    }

    pub(super) fn keep_all<T>(ranges: &mut [Range], find: impl FnOnce(&mut Cache) -> T) -> T {
        KEPT.with_borrow_mut(|kept| kept.extend_from_slice(ranges));
        find(&mut Cache::new())
    }
}
