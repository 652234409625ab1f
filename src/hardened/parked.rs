//! Pages of freed large blocks with `HAKMEM_HARDENED=light`. They are moved away at once, to where nobody has a pointer to, which is one call however
//! many there are; what is left of the block is closed. There they wait for the next block of about that size, and are cleared
//! when it comes: a page takes a fault, twenty times what clearing one takes. What is not wanted goes back to the kernel as all that is idle does.

use core::sync::atomic::{AtomicBool, Ordering};

use super::cuts::Cuts;
use super::site::{self, Fence, Site, shut};
use crate::base::addr::Addr;
use crate::base::aside::Aside;
use crate::canary;
use crate::large::IN_TURN;
use crate::large::counts::{CLOSED_BYTES, FRESH_BYTES, PURGED_BYTES, shrunk};
use crate::os;
use crate::os::lock::Mutex;
use crate::stats::level::IN_USE;

/// Blocks' pages that wait at most.
const ROOM: usize = 32;
/// Of larger blocks the pages go back to the kernel.
const MOST: usize = IN_TURN;

/// A block's pages: the first `bytes` of a place that is closed around them.
#[derive(Clone, Copy)]
pub(super) struct Pages {
    pub(super) site: Site,
    pub(super) bytes: usize,
    pub(super) cuts: Cuts,
}

/// Whether the kernel does not move pages so: before Linux 5.7, and where a sandbox forbids it. What they would have gone to is lost, so it is not tried
/// again.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// # Invariants
/// - W1: `all[..len]` are open pages that nobody uses, oldest first. Their places count as mapped for large blocks, and not as in use.
struct Waiting {
    all: [Pages; ROOM],
    len: usize,
}

static WAITING: Aside<Mutex<Waiting>> =
    Aside(Mutex::new(Waiting { all: [Pages { site: Site::NONE, bytes: 0, cuts: Cuts::NONE }; ROOM], len: 0 }));

impl Waiting {
    /// Takes in one more. Gives the oldest back when there is no room.
    fn put(&mut self, pages: Pages) -> Option<Pages> {
        let evicted = if self.len == ROOM { self.remove(0) } else { None };
        *self.all.get_mut(self.len)? = pages;
        self.len += 1;
        evicted
    }

    fn remove(&mut self, index: usize) -> Option<Pages> {
        let removed = self.all.get(index).filter(|_| index < self.len).copied()?;
        self.len -= 1;
        for (to, from) in (index..self.len).zip(index + 1..) {
            let Some(&next) = self.all.get(from) else { break };
            if let Some(slot) = self.all.get_mut(to) {
                *slot = next;
            }
        }
        Some(removed)
    }

    /// That of the next size, not twice or half as large, for a block of `bytes` in a place of `mapped` bytes at a multiple of `align`.
    fn take(&mut self, bytes: usize, mapped: usize, align: usize) -> Option<Pages> {
        let fits = |pages: &Pages| {
            pages.site.mapped >= mapped
                && pages.site.base.is_aligned(align)
                && pages.bytes / 2 < bytes
                && bytes / 2 < pages.bytes
                && (pages.bytes >= bytes || pages.cuts.has_room())
        };
        let waiting = self.all.iter().take(self.len).enumerate();
        let found = waiting.filter(|(_, pages)| fits(pages)).min_by_key(|(_, pages)| pages.bytes.abs_diff(bytes));
        let (index, _) = found?;
        self.remove(index)
    }
}

/// Has the pages of a freed block wait elsewhere. `false`: that can't be, and all is as before.
pub(super) fn park(Pages { site: from, bytes, cuts }: Pages) -> bool {
    if from.fence != Fence::Around || bytes > MOST || cuts.is_many() {
        return false;
    }
    // Relaxed, here and below: asked in vain once more is no harm.
    if REFUSED.load(Ordering::Relaxed) {
        return false;
    }
    let Some(to) = site::reserve(from.mapped) else { return false };
    let mut moved = 0;
    let all = cuts.pieces(bytes, |offset, len| {
        let done = os::move_pages(from.base.offset(offset), len, to.base.offset(offset));
        moved += if done { len } else { 0 };
        done
    });
    if !all {
        REFUSED.store(true, Ordering::Relaxed);
        shut(to.base, moved);
        site::lose(to);
        return false;
    }
    shut(from.base, bytes);
    site::let_go(from.fence);
    site::retire(from);
    IN_USE.sub_mapping(from.mapped);
    let evicted = WAITING.lock().put(Pages { site: to, bytes, cuts });
    if let Some(pages) = evicted {
        close(pages);
    }
    true
}

/// Waiting pages, all zero: `bytes` of them in a place of at least `mapped`. They are in use from here on.
#[inline(never)] // for the stack: what maps a block anew goes deeper
pub(super) fn take(bytes: usize, mapped: usize, align: usize) -> Option<Pages> {
    let mut pages = WAITING.lock().take(bytes, mapped, align)?;
    let base = pages.site.base;
    let had = pages.bytes;
    let fits = if had > bytes {
        pages.cuts.end(bytes);
        os::guard(base.offset(bytes), had - bytes)
    } else {
        had == bytes || os::unguard(base.offset(had), bytes - had)
    };
    if !fits {
        close(pages);
        return None;
    }
    if had < bytes {
        pages.cuts.add(had);
        FRESH_BYTES.add((bytes - had) as u64);
    }
    clear(base, had.min(bytes));
    IN_USE.add_mapping(pages.site.mapped);
    CLOSED_BYTES.add((pages.site.mapped - bytes) as u64);
    pages.bytes = bytes;
    Some(pages)
}

/// Clears pages. Those that nobody ever wrote to are only read: they stay the kernel's one page of zeroes.
fn clear(at: Addr, len: usize) {
    let (page, end) = (os::page_size(), at.offset(len));
    let mut next = at;
    while next < end {
        // SAFETY: open pages that nobody uses.
        if !unsafe { canary::is_zero(next, page) } {
            // SAFETY: as above.
            unsafe { next.as_ptr::<u8>().write_bytes(0, page) };
        }
        next = next.offset(page);
    }
}

/// Gives pages that waited back to the kernel. Returns the bytes of their place.
fn close(pages: Pages) -> usize {
    let Pages { site, bytes, .. } = pages;
    shut(site.base, bytes);
    PURGED_BYTES.add(bytes as u64);
    shrunk(site.mapped);
    site::let_go(site.fence);
    site::retire(site);
    site.mapped
}

/// Gives back what has waited longest, until `want` bytes went. Returns bytes.
pub(super) fn purge(want: usize) -> usize {
    let mut given = 0;
    while given < want {
        let oldest = WAITING.lock().remove(0);
        let Some(pages) = oldest else { break };
        given += close(pages);
    }
    given
}

/// Feature `paranoid`: the bytes of what waits. Any thread.
#[cfg(feature = "paranoid")]
pub(super) fn check() -> usize {
    let waiting = WAITING.lock();
    waiting.all.iter().take(waiting.len).map(|pages| pages.site.mapped).sum()
}
