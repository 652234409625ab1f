//! A block just made, and how much of it may hold other than zeroes: what `calloc` has left to clear.
#![forbid(unsafe_code)]

use core::num::NonZeroU32;

use crate::base::addr::{Addr, GRANULE};
use crate::base::block::Block;

/// With the 0 that `stale` never is, an `Option` of it fits two registers.
pub(crate) struct Fresh {
    block: Block,
    /// One more than the granules at its start that may hold other than zeroes; with the most there is, all may.
    stale: NonZeroU32,
}

impl Fresh {
    /// `zero`: whether all of it is known to read as zero.
    pub(crate) fn new(block: Block, zero: bool) -> Fresh {
        Fresh { block, stale: if zero { NonZeroU32::MIN } else { NonZeroU32::MAX } }
    }

    /// One of which all but the first `stale` bytes are known to read as zero.
    pub(crate) fn part(block: Block, stale: usize) -> Fresh {
        let granules = u32::try_from(stale.div_ceil(GRANULE)).unwrap_or(u32::MAX);
        Fresh { block, stale: NonZeroU32::MIN.saturating_add(granules) }
    }

    pub(crate) fn at(&self) -> Addr {
        self.block.addr()
    }

    /// It is the program's from here on.
    #[inline(always)]
    pub(crate) fn into_raw(self) -> *mut u8 {
        self.block.into_raw()
    }

    /// Of `bytes` bytes, those at its start that may be other than zero.
    pub(crate) fn stale(&self, bytes: usize) -> usize {
        match self.stale {
            NonZeroU32::MAX => bytes,
            stale => ((stale.get() - 1) as usize * GRANULE).min(bytes),
        }
    }
}

const _: () = assert!(size_of::<Option<Fresh>>() == 16, "two registers, not a place on the caller's stack");
