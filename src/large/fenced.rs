//! Large blocks with `HAKMEM_HARDENED`: a mapping of its own for each, a MiB of closed pages before and behind it, a canary in what is left of
//! its last page. A freed one is closed and held back for a while: using it faults. In the light form its pages wait elsewhere for another (`parked`).

use core::ptr::NonNull;

use super::keep::{fresh, gone, resized};
use super::record::Large;
use super::site::{AROUND, Fence, HELD_BYTES, Site, keep_land, let_go, map, retire, shut, unmap};
use super::state::{CLOSED_BYTES, FRESH_BYTES};
use super::{mapping, parked};
use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::round_up;
use crate::canary::{self, CANARY};
use crate::config::{self, hardened};
use crate::os;

/// Accessible bytes for `size`, and bytes of the mapping: at least one page of it stays closed.
fn extent(size: usize) -> Option<(usize, usize)> {
    let page = os::page_size();
    let open = round_up(size.max(1), page)?;
    Some((open, round_up(open.checked_add(page)?, GRANULE)?))
}

/// A block for `size` bytes; it reads as zero.
pub(super) fn make(size: usize, align: usize) -> Option<Large> {
    let (bytes, mapped) = extent(size)?;
    if let Some(large) = parked::take(size, bytes, mapped, align) {
        close_end(&large);
        return Some(large);
    }
    let (base, fence) = map(bytes, mapped, align)?;
    fresh(mapped);
    CLOSED_BYTES.add((mapped - bytes) as u64);
    FRESH_BYTES.add(bytes as u64);
    let plain = Large::plain(base, bytes, None);
    let large = Large { size, mapped, fence, waits: false, ..plain };
    close_end(&large);
    Some(large)
}

/// Writes the canary behind what was asked for; all there is zero.
fn close_end(large: &Large) {
    // SAFETY: the end of the block's last page, which is ours.
    unsafe { canary::set(large.base.offset(large.size), large.bytes - large.size) };
}

/// Whether nobody wrote past the block's end.
pub(super) fn is_whole(large: &Large) -> bool {
    // SAFETY: as in `close_end`.
    unsafe { canary::holds(large.base.offset(large.size), large.bytes - large.size) }
}

/// Takes back a mapping: closed, and held until others push it out.
pub(super) fn give_back(large: &Large) {
    CLOSED_BYTES.sub((large.mapped - large.bytes) as u64);
    if config::get::hardened() == hardened::LIGHT && parked::park(large) {
        return;
    }
    let_go(large.fence);
    let site = large.site();
    if large.mapped > HELD_BYTES && large.fence != Fence::Around {
        gone(large.mapped);
        return unmap(site);
    }
    shut(large.base, large.bytes);
    gone(large.mapped);
    retire(site);
}

/// Makes the block hold `size` bytes, in place or by moving its pages. `None`: it has to be copied, and is as before.
pub(super) fn resize(large: &mut Large, record: NonNull<Large>, size: usize) -> Option<Addr> {
    let (bytes, needed) = extent(size)?;
    if bytes <= large.bytes {
        if bytes < large.bytes / 2 || size <= crate::class::MID_MAX {
            return None;
        }
        shorten(large, bytes, size);
    } else if needed <= large.mapped {
        if !lengthen(large, bytes, size) {
            return None;
        }
    } else if large.cuts.any() {
        // Two mappings can't be moved at once.
        return None;
    } else {
        // What grew once grows again: an eighth more of addresses makes the number of moves logarithmic.
        let mapped = round_up(needed.checked_add(bytes / 8)?, GRANULE)?;
        let (to, fence) = map(bytes, mapped, GRANULE)?;
        let (from, opened, old, old_fence) = (large.base, large.bytes, large.mapped, large.fence);
        let moved = mapping::transfer(large, record, to, bytes, mapped);
        if !moved {
            // Nobody knows what is there now.
            if fence == Fence::Around {
                os::unmap_around(to, mapped, AROUND);
            }
            let_go(fence);
            return None;
        }
        let_go(old_fence);
        large.fence = fence;
        resized(old, mapped);
        open_end(large, size);
        CLOSED_BYTES.add(((mapped - bytes) as u64).wrapping_sub((old - opened) as u64));
        (large.bytes, large.mapped) = (bytes, mapped);
        // Of the old mapping the closed pages behind those that moved are left. In their place nothing is, unless somebody was quicker.
        if old_fence == Fence::Around && os::reserve_at(from, opened) {
            os::uncount(old - opened);
            keep_land(Site { base: from, mapped: old, fence: old_fence }.whole());
        } else {
            os::unmap(from.offset(opened), old - opened);
            if old_fence == Fence::Around {
                os::unmap_around(from, old, AROUND);
            }
        }
    }
    large.size = size;
    close_end(large);
    Some(large.base)
}

/// Makes the block hold `size` bytes, more than it does, where it stands. Says whether that could be.
pub(super) fn expand(large: &mut Large, size: usize) -> bool {
    let Some((bytes, needed)) = extent(size) else { return false };
    if bytes <= large.bytes {
        open_end(large, size);
    } else if needed > large.mapped || !lengthen(large, bytes, size) {
        return false;
    }
    large.size = size;
    close_end(large);
    true
}

/// Opens the end of a block that will hold `size` bytes, and its closed pages up to `bytes`. `false`: refused.
fn lengthen(large: &mut Large, bytes: usize, size: usize) -> bool {
    if !os::unguard(large.base.offset(large.bytes), bytes - large.bytes) {
        return false;
    }
    // Pages that moved here once don't merge with those behind them: to the kernel they may be two mappings.
    large.cuts.add(large.bytes);
    open_end(large, size);
    CLOSED_BYTES.sub((bytes - large.bytes) as u64);
    large.bytes = bytes;
    true
}

/// Makes the block end after `size` bytes, no more than it has, where it stands.
pub(super) fn cut(large: &mut Large, size: usize) {
    let Some((bytes, _)) = extent(size) else { return };
    shorten(large, bytes, size);
    large.size = size;
    close_end(large);
}

/// Opens the end of a block that will hold `size` bytes, and closes its pages behind the first `bytes`.
fn shorten(large: &mut Large, bytes: usize, size: usize) {
    open_end(large, size);
    let more = large.bytes - bytes;
    if more > 0 && os::purge(large.base.offset(bytes), more) && os::guard(large.base.offset(bytes), more) {
        CLOSED_BYTES.add(more as u64);
        large.bytes = bytes;
    }
}

/// Clears the canary, and what the program gives up if the block gets shorter.
fn open_end(large: &Large, size: usize) {
    let from = large.size.min(size);
    let end = large.bytes.min(large.size + CANARY);
    // SAFETY: within the block's open pages.
    unsafe { large.base.as_ptr::<u8>().add(from).write_bytes(0, end - from) };
}
