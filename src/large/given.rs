//! Large blocks in memory of the program's own: granules of an arena's region, side by side. They count as runs. Nothing behind them is closed, in
//! hardened mode either: it is not ours to close.
#![forbid(unsafe_code)]

use super::counts::{RUN_BYTES, RUNS};
use super::record::Large;
use crate::base::addr::{Addr, GRANULE};
use crate::region::Region;

/// A block of `bytes` bytes, a granule multiple. All of it may hold old bytes.
pub(super) fn make(region: &'static Region, bytes: usize, align: usize) -> Option<Large> {
    let base = region.acquire(bytes / GRANULE, align)?;
    RUNS.add(1);
    RUN_BYTES.add(bytes as u64);
    Some(Large { waits: false, given: Some(region), ..Large::plain(base, bytes, None) })
}

pub(super) fn give_back(large: &Large, region: &Region) {
    RUNS.sub(1);
    RUN_BYTES.sub(large.bytes as u64);
    region.release(large.base, large.bytes / GRANULE);
}

/// Makes the block hold `size` bytes, `bytes` of whole granules: gives back those at its end, or takes the ones behind it where they are free;
/// otherwise the caller copies.
pub(super) fn resize(large: &mut Large, region: &Region, bytes: usize, size: usize) -> Option<Addr> {
    let end = large.base.offset(large.bytes.min(bytes));
    if bytes > large.bytes {
        let more = bytes - large.bytes;
        if !region.acquire_at(end, more / GRANULE) {
            return None;
        }
        RUN_BYTES.add(more as u64);
    } else if size <= GRANULE / 8 * 5 {
        // As of a run: the granule is worth more to others.
        return None;
    } else if bytes < large.bytes {
        region.release(end, (large.bytes - bytes) / GRANULE);
        RUN_BYTES.sub((large.bytes - bytes) as u64);
    }
    large.bytes = bytes;
    Some(large.base)
}
