//! The program's own limits, `HAKMEM_SOFT_LIMIT` and `HAKMEM_HARD_LIMIT`; read at each slow path, so they may change.
//!
//! | limit | counts | above it |
//! |---|---|---|
//! | soft | slots in use (spans whole), free slots that are resident, large mappings, cached ones included, the page map's pages | everything idle goes, ten times a second at most |
//! | hard | every byte that the allocator has mapped: SuperSlabs, large mappings, cached ones included, records | the request gives everything back, is tried again, then fails |
//!
//! So what is resident is at most what is counted: pages never touched, and those purged inside spans, count too.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use super::figures::Dirty;
use super::give::give_back;
use crate::config::get;
use crate::large;
use crate::os;
use crate::page_map;
use crate::profile::{self, Occasion};
use crate::superslab;

/// Milliseconds between two purges above the soft limit.
const PAUSE: u64 = 100;
/// The least that must be dirty for one: this, and a 64th of what is held.
const WORTH: u64 = 1 << 20;

static LAST: AtomicU64 = AtomicU64::new(0);

/// Tells `os` how much may be mapped. Called before memory is asked for.
pub(crate) fn apply() {
    let limit = get::hard_limit() as usize;
    os::quota::set_limit(if limit == 0 { usize::MAX } else { limit });
}

/// Gives back everything idle when more is held than the soft limit says. Called with no lock held.
pub(super) fn soft(dirty: Dirty) {
    let limit = get::soft_limit() as u64;
    if limit > 0 {
        above(limit, dirty);
    }
}

#[cold]
fn above(limit: u64, dirty: Dirty) {
    let held = superslab::active_bytes() + large::active_bytes() + dirty.pool + dirty.large + page_map::resident();
    if held <= limit {
        return;
    }
    profile::note(Occasion::SoftLimit);
    if !is_worth(dirty.total(), held) {
        return;
    }
    let (now, last) = (os::monotonic_ms(), LAST.load(Ordering::Relaxed));
    // Relaxed: only elects who does it.
    if now.saturating_sub(last) >= PAUSE
        && LAST.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    {
        give_back(false, false);
    }
}

fn is_worth(dirty: u64, held: u64) -> bool {
    dirty > WORTH && dirty > held / 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_little_dirt_is_not_worth_a_purge() {
        const M: u64 = 1 << 20;
        assert!(!is_worth(M, 10 * M) && is_worth(M + 1, 10 * M));
        assert!(!is_worth(10 * M, 640 * M) && is_worth(11 * M, 640 * M));
    }
}
