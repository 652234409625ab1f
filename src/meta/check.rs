//! Feature `paranoid`: the walker over the free records.

use super::records::{META, MIN_SHIFT};
use crate::base::addr::Addr;
use crate::os::require;

/// More records than there are: a list this long is a ring.
const MANY: usize = 1 << 26;

/// The lists of free records end, and hold records of their size. Any thread.
pub(crate) fn check() {
    let meta = META.lock();
    require(meta.next <= meta.end, "M1: the chunk's rest", meta.next);
    for (shift, head) in (MIN_SHIFT..).zip(meta.free) {
        let (mut at, mut count) = (head, 0);
        while !at.is_null() {
            require(at.is_aligned((1 << shift).min(4096)), "M2: a free record's place", at);
            count += 1;
            require(count < MANY, "M2: a list of free records is a ring", at);
            // SAFETY: a free record, ours under the lock: its first word is the link.
            at = unsafe { *at.as_ptr::<Addr>() };
        }
    }
}
