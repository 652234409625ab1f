//! Feature `paranoid`: the walker over the cache of freed mappings.
#![forbid(unsafe_code)]

use super::Cache;
use crate::base::addr::GRANULE;
use crate::os::require;
use crate::page_map::{self, Tag};

impl Cache {
    /// C1, and that nobody owns what is kept. Returns the bytes. Under the lock.
    pub(in super::super) fn check(&self) -> usize {
        let mut bytes = 0;
        for (index, range) in self.ranges.iter().take(self.len).enumerate() {
            let whole = range.bytes > 0 && range.bytes % GRANULE == 0 && range.base.is_aligned(GRANULE);
            require(whole, "C1: a cached range of whole granules", range.base);
            for at in (0..range.bytes).step_by(GRANULE).map(|offset| range.base.offset(offset)) {
                require(matches!(page_map::tag(at), Tag::NONE | Tag::LEFT), "C1: a cached range has an owner", at);
            }
            for other in self.ranges.iter().take(index) {
                let apart = range.end() < other.base || other.end() < range.base;
                require(apart, "C1: cached ranges overlap or touch", range.base);
            }
            bytes += range.bytes;
        }
        require(bytes == self.bytes, "C1: the sum of the cached bytes", crate::base::addr::Addr(bytes));
        bytes
    }
}
