//! A holder's blocks: made within what it is allowed, and freed all at once.

use super::blocks;
use super::held::{LINKS, unlink};
use super::record::{Held, find};
use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::round_up;
use crate::base::fresh::Fresh;

impl Held {
    /// At least `size` bytes at a multiple of `align`; where it has no memory of its own, as `make` makes large blocks. `None` also when no more
    /// is allowed.
    pub(crate) fn alloc(
        &'static self,
        size: usize,
        align: usize,
        make: impl FnOnce(usize, usize) -> Option<Fresh>,
    ) -> Option<Fresh> {
        let bytes = round_up(size.max(1), GRANULE)?;
        if self.allowance.take(1, bytes) == 0 {
            return None;
        }
        let made = match self.region {
            Some(region) => blocks::alloc_given(region, bytes, align),
            None => make(size, align),
        };
        match made.as_ref().and_then(|fresh| find(fresh.at())) {
            Some(record) => self.put(record, bytes),
            None => self.allowance.give(bytes),
        }
        made
    }

    /// Has all of them freed by `free`. Nobody uses one, or frees it, meanwhile.
    pub(crate) fn free_all(&self, free: impl Fn(Addr)) {
        loop {
            let links = LINKS.lock();
            let Some(first) = self.first.get() else { return };
            // SAFETY: on the list: a live record.
            let at = unsafe { first.as_ref().base };
            // SAFETY: as above, under the lock.
            unsafe { unlink(first) };
            drop(links);
            free(at);
        }
    }
}

/// Whether the block at `at` is still the one that `serial` said, and so is to be freed by the caller, whose it is then. Any thread.
pub(crate) fn take_noted(at: Addr, serial: u64) -> bool {
    let _links = LINKS.lock();
    // A record that was given back since then, and serves as another, has no such number there.
    // SAFETY: records are never unmapped.
    let Some(record) = find(at).filter(|record| unsafe { record.as_ref() }.hold.serial == serial) else { return false };
    // SAFETY: it is that block's; who frees all finds it no more.
    unsafe { unlink(record) };
    true
}
