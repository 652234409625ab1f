//! Of box `reclaim` the background thread, and its models: its doors are as private as in the crate. What is idle is one number, and a tick
//! gives it back.

#[path = "../../../../src/reclaim/background.rs"]
mod background;
pub mod model;

use crate::base::sync::{AtomicU64, Ordering};

/// Counted as in the crate, where counters order nothing.
static IDLE: AtomicU64 = AtomicU64::new(0);

mod figures {
    use super::IDLE;
    use crate::base::sync::Ordering;

    /// As the crate's.
    pub(super) const PRESSURE_NEVER: i64 = 0;

    pub(super) fn period() -> i64 {
        1000
    }

    #[derive(Clone, Copy)]
    pub(super) struct Dirty(pub(super) u64);

    impl Dirty {
        pub(super) fn now() -> Dirty {
            Dirty(IDLE.load(Ordering::Relaxed))
        }
    }
}

mod decay {
    use super::IDLE;
    use super::figures::Dirty;
    use crate::base::sync::Ordering;
    use crate::heap;

    pub(super) fn quarter() -> u64 {
        250
    }

    pub(super) fn is_clean(dirty: Dirty) -> bool {
        dirty.0 == 0
    }

    /// What has given something back is told to end, for a model must.
    pub(super) fn tick(_: bool) -> bool {
        let had = IDLE.swap(0, Ordering::Relaxed) != 0;
        if had {
            heap::will_be_unheard();
        }
        had
    }
}

mod debt {
    pub(super) fn pay() -> bool {
        false
    }
}
