//! Large blocks: a mapping of its own for each, a MiB of closed pages before and behind it, a canary in what is left of
//! its last page. A freed one is closed and held back for a while: using it faults. In the light form its pages wait elsewhere for another (`parked`).

use core::mem::offset_of;
use core::ptr::NonNull;

use super::cuts::Cuts;
use super::parked::{self, Pages};
use super::site::{AROUND, Fence, HELD_BYTES, Site, keep_land, let_go, map, part_with, retire, shut, unmap};
use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::round_up;
use crate::base::block::Block;
use crate::base::fresh::Fresh;
use crate::canary::{self, CANARY};
use crate::class::MID_MAX;
use crate::config::{self, hardened};
use crate::large::counts::{CLOSED_BYTES, FRESH_BYTES, fresh, gone, resized};
use crate::large::{self, Large};
use crate::meta;
use crate::os::{self, Defect, die_sized};
use crate::page_map::Tag;

/// A block's record.
#[repr(C)]
struct Fenced {
    /// First, for box `large` knows no more of it. Of its bytes, a page multiple, the program has what it asked for.
    large: Large,
    /// Bytes of the mapping: behind the block's they are closed.
    mapped: usize,
    /// Where the block's pages may be more than one mapping to the kernel; and where it has closed ones.
    cuts: Cuts,
    fence: Fence,
}

const _: () = assert!(offset_of!(Fenced, large) == 0, "`large` takes it for one of its own");
const _: () = assert!(size_of::<Fenced>() == 112, "docs/ARCHITECTURE.md, section 5, says so");

/// For readers outside.
pub(crate) const MAPPED: usize = offset_of!(Fenced, mapped);

/// Accessible bytes for `size`, and bytes of the mapping: at least one page of it stays closed.
fn extent(size: usize) -> Option<(usize, usize)> {
    let page = os::page_size();
    let open = round_up(size.max(1), page)?;
    let mapped = round_up(open.checked_add(page)?, GRANULE)?;
    (mapped <= isize::MAX as usize).then_some((open, mapped))
}

/// At least `size` bytes at a multiple of `align` (a power of two), all zero. `None`: out of memory or of address space.
#[inline(never)]
pub(crate) fn alloc(size: usize, align: usize) -> Option<Fresh> {
    let size = size.max(1);
    let record = meta::alloc(size_of::<Fenced>())?;
    let Some(fenced) = make(size, align) else {
        meta::free(record, size_of::<Fenced>());
        return None;
    };
    let base = fenced.large.base;
    let at = large::enroll(record, fenced, base, Tag::FENCED, Fenced::give_back)?;
    Some(Fresh::new(Block::at(at), true))
}

fn make(size: usize, align: usize) -> Option<Fenced> {
    let (bytes, mapped) = extent(size)?;
    let Pages { site, cuts, .. } = match parked::take(bytes, mapped, align) {
        Some(pages) => pages,
        None => anew(bytes, mapped, align)?,
    };
    let Site { base, mapped, fence } = site;
    let fenced = Fenced { large: Large::watched(base, bytes, size), mapped, cuts, fence };
    fenced.close_end();
    Some(fenced)
}

#[inline(never)] // for the stack
fn anew(bytes: usize, mapped: usize, align: usize) -> Option<Pages> {
    let site = map(bytes, mapped, align)?;
    fresh(site.mapped);
    CLOSED_BYTES.add((site.mapped - bytes) as u64);
    FRESH_BYTES.add(bytes as u64);
    Some(Pages { site, bytes, cuts: Cuts::NONE })
}

/// Frees the block at `at`, whose granule is tagged FENCED. Ends the process when no block starts there, and when it was written past its end or is not
/// of the size that the program `said`.
pub(crate) fn free(at: Addr, said: Option<usize>) {
    let record = large::claim::<Fenced>(at, Tag::FENCED);
    large::let_go(record.cast());
    // SAFETY: claimed: ours alone.
    let fenced = unsafe { record.as_ref() };
    if said.is_some_and(|said| said.max(1) != fenced.large.size) {
        die_sized(Defect::FREE_SIZE, fenced.large.size, at);
    }
    fenced.check(Defect::FREE_OVERFLOW);
    large::forget(at, record).give_back();
}

/// Makes the block at `at` hold `size` bytes, in place or by moving its pages. `None`: it has to be copied, and is as before.
#[inline(never)]
pub(crate) fn resize(at: Addr, size: usize) -> Option<Addr> {
    changed(at, size, |fenced| {
        fenced.check(Defect::REALLOC_OVERFLOW);
        fenced.resize(size)
    })
}

/// Makes the block at `at` hold `most` bytes where it stands, or `least`, more than it holds. Says how many; `None`: neither is possible, all as before.
#[inline(never)]
pub(crate) fn expand(at: Addr, least: usize, most: usize) -> Option<usize> {
    changed(at, most, |fenced| {
        fenced.check(Defect::EXPAND_OVERFLOW);
        [most, least].into_iter().find(|size| fenced.expand(*size))
    })
}

/// Makes the block at `at` end after `size` bytes, fewer than it has, where it stands.
pub(crate) fn cut(at: Addr, size: usize) {
    // No more than it has already.
    changed(at, 0, |fenced| fenced.cut(size));
}

/// Changes the block at `at`, which is to hold `most` bytes then, as far as its holder is allowed to.
fn changed<T>(at: Addr, most: usize, change: impl FnOnce(&mut Fenced) -> Option<T>) -> Option<T> {
    let mut record: NonNull<Fenced> = large::find(at)?.cast();
    // SAFETY: the caller holds the block, and there is no other reference to its record.
    large::resized(record.cast(), most, || change(unsafe { record.as_mut() }))
}

impl Fenced {
    fn site(&self) -> Site {
        Site { base: self.large.base, mapped: self.mapped, fence: self.fence }
    }

    fn pages(&self) -> Pages {
        Pages { site: self.site(), bytes: self.large.bytes, cuts: self.cuts }
    }

    /// What is behind the program's bytes: where from, and how many.
    fn end(&self) -> (Addr, usize) {
        (self.large.base.offset(self.large.size), self.large.bytes - self.large.size)
    }

    /// Writes the canary behind what was asked for; all there is zero.
    fn close_end(&self) {
        let (end, len) = self.end();
        // SAFETY: the end of the block's last page, which is ours.
        unsafe { canary::set(end, len) };
    }

    /// Ends the process when somebody wrote past the block's end.
    fn check(&self, overflow: Defect) {
        let (end, len) = self.end();
        // SAFETY: as in `close_end`.
        if !unsafe { canary::holds(end, len) } {
            die_sized(overflow, self.large.size, self.large.base);
        }
    }

    /// Takes back a mapping: closed, and held until others push it out.
    fn give_back(self) {
        CLOSED_BYTES.sub((self.mapped - self.large.bytes) as u64);
        if config::get::hardened() == hardened::LIGHT && parked::park(self.pages()) {
            return;
        }
        let_go(self.fence);
        let site = self.site();
        if self.mapped > HELD_BYTES && self.fence != Fence::Around {
            gone(self.mapped);
            return unmap(site);
        }
        shut(self.large.base, self.large.bytes);
        gone(self.mapped);
        retire(site);
    }

    fn resize(&mut self, size: usize) -> Option<Addr> {
        let (bytes, needed) = extent(size)?;
        if bytes <= self.large.bytes {
            if bytes < self.large.bytes / 2 || size <= MID_MAX {
                return None;
            }
            self.shorten(bytes, size);
        } else if needed <= self.mapped {
            if !self.lengthen(bytes, size) {
                return None;
            }
        } else if self.cuts.any() || self.fence == Fence::Common {
            // Two mappings can't be moved at once; nor a part of what is others', too.
            return None;
        } else {
            self.relocate(bytes, needed, size)?;
        }
        self.end_after(size);
        Some(self.large.base)
    }

    /// Moves the pages to where there is room for `bytes`, with what is closed `needed`.
    fn relocate(&mut self, bytes: usize, needed: usize, size: usize) -> Option<()> {
        // What grew once grows again: an eighth more of addresses makes the number of moves logarithmic.
        let mapped = round_up(needed.checked_add(bytes / 8)?, GRANULE)?;
        let to = map(bytes, mapped, GRANULE)?;
        if to.fence == Fence::Common {
            part_with(to);
            return None;
        }
        let (old, opened) = (self.site(), self.large.bytes);
        if !large::transfer(&mut self.large, to.base, bytes, mapped) {
            // Nobody knows what is there now.
            if to.fence == Fence::Around {
                os::unmap_around(to.base, mapped, AROUND);
            }
            let_go(to.fence);
            return None;
        }
        let_go(old.fence);
        resized(old.mapped, mapped);
        self.open_end(size);
        CLOSED_BYTES.add(((mapped - bytes) as u64).wrapping_sub((old.mapped - opened) as u64));
        (self.large.bytes, self.mapped, self.fence) = (bytes, mapped, to.fence);
        // Of the old mapping the closed pages behind those that moved are left. In their place nothing is, unless somebody was quicker.
        if old.fence == Fence::Around && os::reserve_at(old.base, opened) {
            os::uncount(old.mapped - opened);
            keep_land(old.whole());
        } else {
            os::unmap(old.base.offset(opened), old.mapped - opened);
            if old.fence == Fence::Around {
                os::unmap_around(old.base, old.mapped, AROUND);
            }
        }
        Some(())
    }

    /// Makes the block hold `size` bytes, more than it does, where it stands. Says whether that could be.
    fn expand(&mut self, size: usize) -> bool {
        let Some((bytes, needed)) = extent(size) else { return false };
        if bytes <= self.large.bytes {
            self.open_end(size);
        } else if needed > self.mapped || !self.lengthen(bytes, size) {
            return false;
        }
        self.end_after(size);
        true
    }

    /// Makes the block end after `size` bytes, no more than it has.
    fn cut(&mut self, size: usize) -> Option<()> {
        self.shorten(extent(size)?.0, size);
        self.end_after(size);
        Some(())
    }

    /// Its pages are as they are to be, and what is behind so many bytes is zero.
    fn end_after(&mut self, size: usize) {
        self.large.size = size;
        self.close_end();
    }

    /// Opens the end of a block that will hold `size` bytes, and its closed pages up to `bytes`. `false`: refused.
    fn lengthen(&mut self, bytes: usize, size: usize) -> bool {
        let (from, more) = (self.large.bytes, bytes - self.large.bytes);
        let end = self.large.base.offset(from);
        if !(if self.fence == Fence::Common { os::purge(end, more) } else { os::unguard(end, more) }) {
            return false;
        }
        // Pages that moved here once don't merge with those behind them: to the kernel they may be two mappings.
        self.cuts.add(from);
        self.open_end(size);
        CLOSED_BYTES.sub(more as u64);
        self.large.bytes = bytes;
        true
    }

    /// Opens the end of a block that will hold `size` bytes, and closes its pages behind the first `bytes`.
    fn shorten(&mut self, bytes: usize, size: usize) {
        self.open_end(size);
        let (from, more) = (self.large.base.offset(bytes), self.large.bytes - bytes);
        if more > 0 && os::purge(from, more) && (self.fence == Fence::Common || os::guard(from, more)) {
            CLOSED_BYTES.add(more as u64);
            self.large.bytes = bytes;
        }
    }

    /// Clears the canary, and what the program gives up if the block gets shorter.
    fn open_end(&self, size: usize) {
        let from = self.large.size.min(size);
        let end = self.large.bytes.min(self.large.size + CANARY);
        // SAFETY: within the block's open pages.
        unsafe { self.large.base.as_ptr::<u8>().add(from).write_bytes(0, end - from) };
    }
}
