//! How much the allocator has mapped, and how much it may: a limit of the program's own, unlike `RLIMIT_AS` for this
//! allocator only.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

static MAPPED: AtomicUsize = AtomicUsize::new(0);
static REFUSED: AtomicBool = AtomicBool::new(false);
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Bytes mapped now. Any thread.
pub(crate) fn mapped() -> usize {
    // Relaxed, here and below: numbers that are only added up and compared.
    MAPPED.load(Ordering::Relaxed)
}

/// From now on mappings that would bring the sum above `limit` bytes are refused; what is mapped stays.
pub(crate) fn set_limit(limit: usize) {
    // Mostly nothing changed: callers ask often, and a store would take the line from all others.
    if LIMIT.load(Ordering::Relaxed) != limit {
        LIMIT.store(limit, Ordering::Relaxed);
    }
}

/// Whether there is a limit.
pub(crate) fn has_limit() -> bool {
    LIMIT.load(Ordering::Relaxed) != usize::MAX
}

/// Whether `len` bytes more could be mapped now.
pub(crate) fn has_room(len: usize) -> bool {
    fits(mapped(), len, LIMIT.load(Ordering::Relaxed))
}

/// Counts `len` bytes in unless that is too much; nothing always goes.
pub(super) fn charge(len: usize) -> bool {
    let limit = LIMIT.load(Ordering::Relaxed);
    // Not added and taken back: in between others would be refused for bytes that nobody gets.
    let more = |mapped| fits(mapped, len, limit).then(|| mapped + len);
    let charged = len == 0 || MAPPED.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok();
    if !charged && len <= limit {
        REFUSED.store(true, Ordering::Relaxed);
    }
    charged
}

/// Whether the limit kept anything from being mapped, that would have fit into it alone, since this was last asked.
pub(crate) fn took_refusal() -> bool {
    REFUSED.load(Ordering::Relaxed) && REFUSED.swap(false, Ordering::Relaxed)
}

pub(super) fn charge_anyway(len: usize) {
    MAPPED.fetch_add(len, Ordering::Relaxed);
}

pub(super) fn refund(len: usize) {
    MAPPED.fetch_sub(len, Ordering::Relaxed);
}

fn fits(mapped: usize, len: usize, limit: usize) -> bool {
    mapped.checked_add(len).is_some_and(|sum| sum <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_reached_and_not_passed() {
        assert!(fits(0, 10, 10) && fits(7, 3, 10) && !fits(7, 4, 10) && !fits(11, 0, 10));
        assert!(fits(usize::MAX - 1, 1, usize::MAX) && !fits(usize::MAX, 1, usize::MAX));
    }
}
