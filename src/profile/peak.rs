//! The copy of what was live when most was: renewed when a tenth more is live than at the last copy, and brought up to date by who writes it.
#![forbid(unsafe_code)]

use super::occasions::{self, Occasion};
use super::sites::Sites;
use crate::config::get;
use crate::os::lock::{self, Mutex, MutexGuard};

/// What was live at the last copy, in bytes. Who holds it makes one, or reads it.
static COPIED: Mutex<u64> = Mutex::new(0);

/// Called when `live` bytes have come to be live: mostly one look.
pub(super) fn look(sites: &Sites<'_>, live: u64) {
    // Another thread copies, or a profile is being written: the next sample looks again.
    let Some(mut copied) = COPIED.try_lock() else { return };
    if live > *copied + *copied / 10 {
        *copied = live;
        sites.copy_peak();
        drop(copied);
        if get::prof_peaks() > 0 {
            occasions::note(Occasion::Peak);
        }
    }
}

/// The copy as it should be now, which stays while this is held. `None`: it may change.
pub(super) fn settle(sites: &Sites<'_>, live: u64) -> Option<MutexGuard<'static, u64>> {
    let mut copied = COPIED.try_lock()?;
    if live > *copied {
        *copied = live;
        sites.copy_peak();
    }
    Some(copied)
}

/// In a child of fork another thread of the parent's may have been at it.
pub(super) fn forget() {
    lock::free_in_child(&COPIED);
}
