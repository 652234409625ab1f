//! Large blocks with `HAKMEM_HARDENED`: a mapping of its own for each, a MiB of closed pages before and behind it, a canary in what is left of
//! its last page. A freed one is closed and held back for a while: using it faults. In the light form its pages wait elsewhere for another (`parked`).
//! Addresses that held large blocks stay closed when nobody uses them, and hold only such again.

use core::ptr::NonNull;

use super::cache::{Cache, Range};
use super::{CLOSED_BYTES, FRESH_BYTES, Large, mapping, parked};
use crate::base::addr::{Addr, GRANULE};
use crate::base::aside::Aside;
use crate::base::bits::round_up;
use crate::canary::{self, CANARY};
use crate::config::{self, hardened};
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

/// Where a block lies, or lay.
#[derive(Clone, Copy)]
pub(super) struct Site {
    pub(super) base: Addr,
    /// Bytes from there on that are the block's, those behind it included that are closed.
    pub(super) mapped: usize,
    pub(super) fence: Fence,
}

impl Site {
    pub(super) const NONE: Site = Site { base: Addr::NULL, mapped: 0, fence: Fence::None };

    /// All its addresses, with those around it.
    fn whole(self) -> Range {
        Range { base: Addr(self.base.0 - AROUND), bytes: self.mapped + 2 * AROUND }
    }
}

/// # Invariants
/// - A1: `sites[(first + n) % HELD]` for `n < len` are closed, oldest first; their bytes sum up to `bytes`.
struct Retired {
    sites: [Site; HELD],
    first: usize,
    len: usize,
    bytes: usize,
}

static RETIRED: Aside<Mutex<Retired>> =
    Aside(Mutex::new(Retired { sites: [Site::NONE; HELD], first: 0, len: 0, bytes: 0 }));

/// Closed addresses that nobody waits for any more. None of them is given back while the kernel has others: whoever still has a pointer to a large
/// block that was freed finds nothing there, or another large block.
static LAND: Aside<Mutex<Cache>> = Aside(Mutex::new(Cache::new()));

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
    mapping::fresh(mapped);
    CLOSED_BYTES.add((mapped - bytes) as u64);
    FRESH_BYTES.add(bytes as u64);
    let plain = Large::plain(base, bytes, None);
    let large = Large { size, mapped, fence, waits: false, ..plain };
    close_end(&large);
    Some(large)
}

impl Large {
    pub(super) fn site(&self) -> Site {
        Site { base: self.base, mapped: self.mapped, fence: self.fence }
    }
}

/// Whether so many mappings may be had for another block's closed pages, and there are addresses for them.
fn may_close_around() -> bool {
    closed::has_addresses() && closed::take(COST)
}

/// Closed addresses with others around them, of which the first `open` bytes can be accessed.
fn map_apart(mapped: usize, open: usize, align: usize) -> Option<Addr> {
    if align > AROUND {
        return None;
    }
    let whole = mapped.checked_add(2 * AROUND)?;
    let mine = LAND.lock().take_best(whole, align);
    if let Some(start) = mine {
        let base = start.offset(AROUND);
        if os::map_within(base, mapped, open) {
            return Some(base);
        }
        keep_land(Range { base: start, bytes: whole });
        return None;
    }
    os::map_apart(mapped, open, align, AROUND).or_else(|| {
        // Before the process goes short of addresses.
        if purge_land() { os::map_apart(mapped, open, align, AROUND) } else { None }
    })
}

/// A place that pages can be moved to, mapped and closed, and counted as a block's.
pub(super) fn reserve(mapped: usize) -> Option<Site> {
    if !may_close_around() {
        return None;
    }
    let base = map_apart(mapped, 0, GRANULE);
    if base.is_none() {
        let_go(Fence::Around);
    }
    Some(Site { base: base?, mapped, fence: Fence::Around })
}

/// What nobody uses, or may use again, in whose place pages were to be moved.
pub(super) fn lose(site: Site) {
    os::unmap_around(site.base, site.mapped, AROUND);
    let_go(site.fence);
}

/// A mapping of which `bytes` are open, and where else it is closed: around it, unless there are too many such, or no addresses for that.
fn map(bytes: usize, mapped: usize, align: usize) -> Option<(Addr, Fence)> {
    let align = align.max(GRANULE);
    let may_close = closed::take(COST);
    let apart = if may_close && closed::has_addresses() { map_apart(mapped, bytes, align) } else { None };
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
pub(super) fn let_go(fence: Fence) {
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
    if config::get::hardened() == hardened::LIGHT && parked::park(large) {
        return;
    }
    let_go(large.fence);
    let site = large.site();
    if large.mapped > HELD_BYTES && large.fence != Fence::Around {
        mapping::gone(large.mapped);
        return unmap(site);
    }
    shut(large.base, large.bytes);
    mapping::gone(large.mapped);
    retire(site);
}

/// Closes pages, which gives back what they held.
pub(super) fn shut(at: Addr, len: usize) {
    if !os::guard(at, len) {
        os::purge(at, len);
    }
}

/// Holds a closed mapping back, until others push it out.
pub(super) fn retire(site: Site) {
    if site.mapped > HELD_BYTES {
        return part_with(site);
    }
    let mut retired = RETIRED.lock();
    while retired.len == HELD || retired.bytes + site.mapped > HELD_BYTES {
        let Some(oldest) = retired.pop() else { break };
        part_with(oldest);
    }
    let last = (retired.first + retired.len) % HELD;
    if let Some(slot) = retired.sites.get_mut(last) {
        *slot = site;
        retired.len += 1;
        retired.bytes += site.mapped;
    }
}

/// Parts with all that is held back. Returns 0: none of it was resident.
pub(super) fn purge() -> usize {
    loop {
        let oldest = RETIRED.lock().pop();
        let Some(site) = oldest else { return 0 };
        part_with(site);
    }
}

/// Lets a closed mapping's addresses be had by another large block, by nobody else; where addresses are limited they go back to the kernel.
fn part_with(site: Site) {
    if site.fence != Fence::Around {
        return unmap(site);
    }
    os::uncount(site.mapped);
    keep_land(site.whole());
}

/// Keeps closed addresses. Of more pieces than there is room for the oldest goes back to the kernel.
fn keep_land(range: Range) {
    let evicted = LAND.lock().put(range);
    if let Some(range) = evicted {
        os::unreserve(range.base, range.bytes);
    }
}

/// Gives all of them back. Says whether there were any.
fn purge_land() -> bool {
    let mut any = false;
    loop {
        let oldest = LAND.lock().take_oldest(usize::MAX);
        let Some(range) = oldest else { return any };
        any |= os::unreserve(range.base, range.bytes);
    }
}

/// A mapping that the kernel refuses to unmap (map count) is lost addresses: its pages are given back.
fn unmap(site: Site) {
    if !os::unmap(site.base, site.mapped) {
        os::purge(site.base, site.mapped);
    }
}

impl Retired {
    fn pop(&mut self) -> Option<Site> {
        if self.len == 0 {
            return None;
        }
        let oldest = *self.sites.get(self.first % HELD)?;
        self.first = (self.first + 1) % HELD;
        self.len -= 1;
        self.bytes -= oldest.mapped;
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
        mapping::resized(old, mapped);
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
