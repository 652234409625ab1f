//! A holder's blocks: made within what it is allowed, and freed all at once.

use super::blocks;
use super::held::{LINKS, unlink};
use super::record::{Held, claim, find};
use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::round_up;
use crate::base::fresh::Fresh;
use crate::profile;

impl Held {
    /// At least `size` bytes at a multiple of `align`, as `large::alloc`. `None` also when no more is allowed.
    pub(crate) fn alloc(&'static self, size: usize, align: usize) -> Option<Fresh> {
        let bytes = round_up(size.max(1), GRANULE)?;
        if self.allowance.take(1, bytes) == 0 {
            return None;
        }
        let made = match self.region {
            Some(region) => blocks::alloc_given(region, bytes, align),
            None => blocks::alloc(size, align),
        };
        match made.as_ref().and_then(|fresh| find(fresh.at())) {
            Some(record) => self.put(record, bytes),
            None => self.allowance.give(bytes),
        }
        made
    }

    /// Frees all of them. Nobody uses one, or frees it, meanwhile.
    pub(crate) fn free_all(&self) {
        loop {
            let links = LINKS.lock();
            let Some(first) = self.first.get() else { return };
            // SAFETY: on the list: a live record.
            let (at, sampled) = unsafe { (first.as_ref().base, first.as_ref().sampled) };
            // SAFETY: as above, under the lock.
            unsafe { unlink(first) };
            drop(links);
            if sampled {
                profile::end(at);
            }
            if let Some(record) = claim(at) {
                blocks::release(record, at, None);
            }
        }
    }
}

/// Frees the block at `at`, if it is still the one that `serial` said. Any thread.
pub(crate) fn free_noted(at: Addr, serial: u64, said: Option<usize>) {
    let links = LINKS.lock();
    // A record that was given back since then, and serves as another, has no such number there.
    // SAFETY: records are never unmapped.
    let Some(record) = find(at).filter(|record| unsafe { record.as_ref() }.hold.serial == serial) else { return };
    // SAFETY: it is that block's; who frees all finds it no more.
    unsafe { unlink(record) };
    drop(links);
    blocks::free(at, said);
}
