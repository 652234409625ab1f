//! Large blocks with `HAKMEM_HARDENED=1`: a mapping of its own for each, a MiB of closed pages before and behind it, a canary in what is left of
//! its last page. A freed one is closed and held back for a while: using it faults.

use core::ptr::NonNull;

use super::{CLOSED_BYTES, FRESH_BYTES, Large, mapping};
use crate::base::addr::{Addr, GRANULE};
use crate::base::aside::Aside;
use crate::base::bits::round_up;
use crate::canary::{self, CANARY};
use crate::os;
use crate::os::closed;
use crate::os::lock::Mutex;
use crate::os::names::{self, Name};

/// Freed mappings held back, and bytes of their addresses.
const HELD: usize = 64;
const HELD_BYTES: usize = 64 << 20;
/// Closed addresses around a mapping.
const AROUND: usize = 1 << 20;
/// Mappings, to the kernel, that a block has more for its closed pages: they part it from its neighbours, whose closed pages they join.
const COST: usize = 2;

/// Where a block has closed pages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fence {
    /// Nowhere: there were too many.
    None,
    /// Behind its bytes, up to the mapping's end.
    Behind,
    /// There, and `AROUND` of them outside of the mapping.
    Around,
}

/// # Invariants
/// - A1: `ranges[(first + n) % HELD]` for `n < len` are closed mappings, oldest first; their bytes sum up to `bytes`.
struct Retired {
    ranges: [(Addr, usize, Fence); HELD],
    first: usize,
    len: usize,
    bytes: usize,
}

static RETIRED: Aside<Mutex<Retired>> =
    Aside(Mutex::new(Retired { ranges: [(Addr::NULL, 0, Fence::None); HELD], first: 0, len: 0, bytes: 0 }));

/// Accessible bytes for `size`, and bytes of the mapping: at least one page of it stays closed.
fn extent(size: usize) -> Option<(usize, usize)> {
    let page = os::page_size();
    let open = round_up(size.max(1), page)?;
    Some((open, round_up(open.checked_add(page)?, GRANULE)?))
}

/// A block for `size` bytes; it reads as zero.
pub(super) fn make(size: usize, align: usize) -> Option<Large> {
    let (bytes, mapped) = extent(size)?;
    let (base, fence) = map(bytes, mapped, align)?;
    mapping::fresh(mapped);
    CLOSED_BYTES.add((mapped - bytes) as u64);
    FRESH_BYTES.add(bytes as u64);
    let plain = Large::plain(base, bytes, None);
    let large = Large { size, mapped, fence, waits: false, ..plain };
    close_end(&large);
    Some(large)
}

/// A mapping of which `bytes` are open, and where else it is closed: around it, unless there are too many such, or no addresses for that.
fn map(bytes: usize, mapped: usize, align: usize) -> Option<(Addr, Fence)> {
    let align = align.max(GRANULE);
    let may_close = closed::take(COST);
    let apart = if may_close && closed::has_addresses() && align <= AROUND {
        os::map_apart(mapped, bytes, align, AROUND)
    } else {
        None
    };
    let (base, fence) = match apart {
        Some(base) => (base, Fence::Around),
        None => {
            let alone = os::map_aligned(Addr::NULL, mapped, align);
            let Some(base) = alone else {
                let_go(if may_close { Fence::Behind } else { Fence::None });
                return None;
            };
            if may_close {
                os::guard(base.offset(bytes), mapped - bytes);
            }
            (base, if may_close { Fence::Behind } else { Fence::None })
        }
    };
    names::give(base, mapped, Name::Large);
    Some((base, fence))
}

/// Counts the end of a block's closed pages.
fn let_go(fence: Fence) {
    if fence != Fence::None {
        closed::settle(COST, 0);
    }
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
    let_go(large.fence);
    if large.mapped > HELD_BYTES {
        mapping::gone(large.mapped);
        return unmap(large.base, large.mapped, large.fence);
    }
    os::purge(large.base, large.bytes);
    os::guard(large.base, large.bytes);
    mapping::gone(large.mapped);
    let mut retired = RETIRED.lock();
    while retired.len == HELD || retired.bytes + large.mapped > HELD_BYTES {
        let Some((base, bytes, fence)) = retired.pop() else { break };
        unmap(base, bytes, fence);
    }
    let last = (retired.first + retired.len) % HELD;
    if let Some(slot) = retired.ranges.get_mut(last) {
        *slot = (large.base, large.mapped, large.fence);
        retired.len += 1;
        retired.bytes += large.mapped;
    }
}

/// Unmaps what is held back. Returns 0: none of it was resident.
pub(super) fn purge() -> usize {
    loop {
        let oldest = RETIRED.lock().pop();
        let Some((base, bytes, fence)) = oldest else { return 0 };
        unmap(base, bytes, fence);
    }
}

/// A mapping that the kernel refuses to unmap (map count) is lost addresses: its pages are given back.
fn unmap(base: Addr, bytes: usize, fence: Fence) {
    let gone = if fence == Fence::Around { os::unmap_apart(base, bytes, AROUND) } else { os::unmap(base, bytes) };
    if !gone {
        os::purge(base, bytes);
    }
}

impl Retired {
    fn pop(&mut self) -> Option<(Addr, usize, Fence)> {
        if self.len == 0 {
            return None;
        }
        let oldest = *self.ranges.get(self.first % HELD)?;
        self.first = (self.first + 1) % HELD;
        self.len -= 1;
        self.bytes -= oldest.1;
        Some(oldest)
    }
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
    } else if large.split {
        // Two mappings can't be moved at once.
        return None;
    } else {
        // What grew once grows again: an eighth more of addresses makes the number of moves logarithmic.
        let mapped = round_up(needed.checked_add(bytes / 8)?, GRANULE)?;
        let (to, fence) = map(bytes, mapped, GRANULE)?;
        let (from, opened, old, old_fence) = (large.base, large.bytes, large.mapped, large.fence);
        let moved = mapping::transfer(large, record, to, bytes, mapped);
        // What it comes from, or would have gone to, is no mapping any more that could be unmapped as one.
        let left = if moved { (from, old, old_fence) } else { (to, mapped, fence) };
        if left.2 == Fence::Around {
            os::unmap_around(left.0, left.1, AROUND);
        }
        let_go(left.2);
        if !moved {
            return None;
        }
        large.fence = fence;
        mapping::resized(old, mapped);
        open_end(large, size);
        CLOSED_BYTES.add(((mapped - bytes) as u64).wrapping_sub((old - opened) as u64));
        (large.bytes, large.mapped) = (bytes, mapped);
        // Of the old mapping only the closed pages behind those that moved are left.
        os::unmap(from.offset(opened), old - opened);
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
    large.split = true;
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
