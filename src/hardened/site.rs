//! `Site`: where a block with closed pages lies, or lay. Addresses that held large blocks stay closed when nobody uses them, and hold only such again.
#![forbid(unsafe_code)]

use super::commons;
use crate::base::addr::{Addr, GRANULE};
use crate::base::aside::Aside;
use crate::base::bits::round_up;
use crate::large::{Cache, Range};
use crate::os;
use crate::os::closed;
use crate::os::lock::Mutex;

/// Freed mappings held back, and bytes of their addresses.
const HELD: usize = 64;
pub(super) const HELD_BYTES: usize = 64 << 20;
/// Closed addresses around a mapping.
pub(super) const AROUND: usize = 1 << 20;
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
    /// Nowhere, and its mapping is others', too (`commons`).
    Common,
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
    pub(super) fn whole(self) -> Range {
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

/// A mapping of which `bytes` are open, `mapped` of them or more; it is closed around it as well, unless there are too many such, or no addresses for that.
pub(super) fn map(bytes: usize, mapped: usize, align: usize) -> Option<Site> {
    let align = align.max(GRANULE);
    let may_close = closed::take(COST);
    let apart = if may_close && closed::has_addresses() { map_apart(mapped, bytes, align) } else { None };
    let site = match apart {
        Some(base) => Site { base, mapped, fence: Fence::Around },
        None if may_close => {
            let Some(base) = os::map_aligned(Addr::NULL, mapped, align) else {
                let_go(Fence::Behind);
                return None;
            };
            os::guard(base.offset(bytes), mapped - bytes);
            Site { base, mapped, fence: Fence::Behind }
        }
        None => match commons::take(mapped, align) {
            Some(base) => return Some(Site { base, mapped, fence: Fence::Common }),
            None => map_joined(mapped, align)?,
        },
    };
    commons::dress(site.base, site.mapped);
    Some(site)
}

/// A mapping without closed pages. Where addresses are not counted it is as long as a multiple of its alignment: so the next one begins where it ends,
/// and to the kernel, which allows only so many, they are one.
fn map_joined(mapped: usize, align: usize) -> Option<Site> {
    let at = |mapped| Some(Site { base: os::map_aligned(Addr::NULL, mapped, align)?, mapped, fence: Fence::None });
    let joined =
        round_up(mapped, align).filter(|&joined| joined > mapped && closed::has_addresses() && !os::quota::has_limit());
    joined.and_then(at).or_else(|| at(mapped))
}

/// Counts the end of a block's closed pages.
pub(super) fn let_go(fence: Fence) {
    if matches!(fence, Fence::Behind | Fence::Around) {
        closed::settle(COST, 0);
    }
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

/// Parts with all that is held back. None of it was resident.
pub(super) fn purge() {
    loop {
        let oldest = RETIRED.lock().pop();
        let Some(site) = oldest else { return };
        part_with(site);
    }
}

/// Lets a closed mapping's addresses be had by another large block, by nobody else; where addresses are limited they go back to the kernel.
pub(super) fn part_with(site: Site) {
    match site.fence {
        Fence::Around => {
            os::uncount(site.mapped);
            keep_land(site.whole());
        }
        Fence::Common => commons::give(site.base, site.mapped),
        Fence::None | Fence::Behind => unmap(site),
    }
}

/// Keeps closed addresses. Of more pieces than there is room for the oldest goes back to the kernel.
pub(super) fn keep_land(range: Range) {
    let evicted = LAND.lock().put(range);
    if let Some(range) = evicted {
        os::unreserve(range.base, range.bytes);
    }
}

/// Gives all of them back. Says whether there were any.
pub(super) fn purge_land() -> bool {
    let mut any = false;
    loop {
        let oldest = LAND.lock().take_oldest(usize::MAX);
        let Some(range) = oldest else { return any };
        any |= os::unreserve(range.base, range.bytes);
    }
}

/// A mapping that the kernel refuses to unmap (map count) is lost addresses: its pages are given back.
pub(super) fn unmap(site: Site) {
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
