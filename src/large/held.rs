//! Large blocks that belong to somebody who may free all of his at once: an arena. They are linked through their records.

use core::cell::Cell;
use core::ptr::NonNull;

use super::record::{Held, Hold, Large, find};
use crate::base::addr::{Addr, GRANULE};
use crate::base::bits::round_up;
use crate::os::lock::Mutex;
use crate::region::Region;
use crate::stats::allowance::Allowance;

/// Guards all lists and links. It counts what was ever put on one.
pub(super) static LINKS: Mutex<u64> = Mutex::new(0);

impl Held {
    pub(crate) fn new(owner: Addr, allowance: &'static Allowance, region: Option<&'static Region>) -> Held {
        Held { first: Cell::new(None), owner, allowance, region }
    }

    pub(crate) fn owner(&self) -> Addr {
        self.owner
    }

    /// Whether there are none. Nobody makes or frees one meanwhile.
    pub(crate) fn is_empty(&self) -> bool {
        self.first.get().is_none()
    }

    /// Takes in a block just made, for which `counted` bytes were taken.
    pub(super) fn put(&'static self, mut record: NonNull<Large>, counted: usize) {
        let mut last = LINKS.lock();
        *last += 1;
        // SAFETY: the caller's block, and no other reference to its record.
        let large = unsafe { record.as_mut() };
        large.waits = false;
        large.hold = Hold { by: Some(self), next: self.first.get(), prev: None, serial: *last };
        if let Some(mut next) = large.hold.next {
            // SAFETY: on the list: a live record, not this one.
            unsafe { next.as_mut() }.hold.prev = Some(record);
        }
        self.first.set(Some(record));
        self.settle(counted, large.bytes);
    }

    /// Counts `now` bytes where `counted` were.
    fn settle(&self, counted: usize, now: usize) {
        if now > counted {
            self.allowance.force(now - counted);
        } else {
            self.allowance.give(counted - now);
        }
    }

    /// Calls `look` with the address and the usable bytes of each, from the newest on, until it says something but 0.
    /// None is made or freed meanwhile.
    pub(crate) fn each(&self, mut look: impl FnMut(Addr, usize) -> i32) -> i32 {
        let mut at = self.first.get();
        while let Some(record) = at {
            // SAFETY: on the list: a live record.
            let (base, size, next) =
                unsafe { (record.as_ref().base, record.as_ref().usable(), record.as_ref().hold.next) };
            let said = look(base, size);
            if said != 0 {
                return said;
            }
            at = next;
        }
        0
    }

    /// How many there are, and their bytes.
    pub(crate) fn figures(&self) -> (u64, u64) {
        let _links = LINKS.lock();
        let (mut blocks, mut bytes) = (0, 0);
        self.each(|_, size| {
            (blocks, bytes) = (blocks + 1, bytes + size as u64);
            0
        });
        (blocks, bytes)
    }
}

/// Takes a block off its holder's list, if it is on one.
///
/// # Safety
/// Its record is live; under `LINKS`.
pub(super) unsafe fn unlink(mut record: NonNull<Large>) {
    // SAFETY: the caller's, and no other reference to it.
    let large = unsafe { record.as_mut() };
    let Hold { by: Some(by), next, prev, .. } = core::mem::take(&mut large.hold) else { return };
    match prev {
        // SAFETY: neighbours on the list are live records, and others.
        Some(mut prev) => unsafe { prev.as_mut() }.hold.next = next,
        None => by.first.set(next),
    }
    if let Some(mut next) = next {
        // SAFETY: as above.
        unsafe { next.as_mut() }.hold.prev = prev;
    }
    by.allowance.give(large.bytes);
}

/// Before a claimed block is given back. Mostly it is nobody's.
#[inline]
pub(crate) fn let_go(record: NonNull<Large>) {
    // SAFETY: claimed: ours alone, but for its links.
    if unsafe { record.as_ref() }.hold.serial != 0 {
        let _links = LINKS.lock();
        // SAFETY: as above.
        unsafe { unlink(record) };
    }
}

/// Resizes a block by `resize`, as far as its holder is allowed to. `most`: the bytes that it may hold then.
pub(crate) fn resized<T>(record: NonNull<Large>, most: usize, resize: impl FnOnce() -> Option<T>) -> Option<T> {
    // SAFETY: the caller holds the block, and no other reference to its record.
    let (by, before) = unsafe { (record.as_ref().hold.by, record.as_ref().bytes) };
    let Some(by) = by else { return resize() };
    let more = round_up(most, GRANULE)?.saturating_sub(before);
    if more > 0 && by.allowance.take(1, more) == 0 {
        return None;
    }
    let done = resize();
    // SAFETY: as above; what `resize` had of it is gone.
    by.settle(before + more, unsafe { record.as_ref() }.bytes);
    done
}

/// Who holds the block at `at`, which the caller uses.
pub(crate) fn holder(at: Addr) -> Option<&'static Held> {
    // SAFETY: the caller's block: its record stays.
    find(at).and_then(|record| unsafe { record.as_ref() }.hold.by)
}

/// Which block starts at `at`, of those that are held; 0: it is nobody's.
pub(crate) fn serial(at: Addr) -> u64 {
    // SAFETY: as in `holder`.
    find(at).map_or(0, |record| unsafe { record.as_ref() }.hold.serial)
}
