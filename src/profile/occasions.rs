//! When a profile is written that nobody asked for: as live memory grows, and before it is too late. What finds the occasion leaves a note, for it
//! may lie behind the gate; a slow path writes (`front/requests.rs`).
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::counts::live_bytes;
use super::switch::{is_for_agent, is_on};
use crate::config::get;
use crate::os::signal::{self, Request};
use crate::stats::path::Name;

/// A file's name tells which it was.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    SoftLimit,
    HardLimit,
    Pressure,
    Peak,
}

impl Occasion {
    const ALL: [Occasion; 4] = [Occasion::SoftLimit, Occasion::HardLimit, Occasion::Pressure, Occasion::Peak];

    fn bit(self) -> u32 {
        1 << self as u32
    }

    /// What the next file of this occasion's is called.
    pub(super) fn name(self) -> Name {
        let word = match self {
            Occasion::SoftLimit => "soft-limit",
            Occasion::HardLimit => "hard-limit",
            Occasion::Pressure => "pressure",
            Occasion::Peak => {
                // Relaxed: a number. The last ones stay, for the names come round.
                let before = u64::from(PEAKS.fetch_add(1, Ordering::Relaxed));
                let number = before.checked_rem(get::prof_peaks() as u64).unwrap_or(0);
                return Name { word: "peak-", number: Some(number + 1) };
            }
        };
        Name { word, number: None }
    }
}

/// Notes, a bit each.
static DUE: AtomicU32 = AtomicU32::new(0);
static PEAKS: AtomicU32 = AtomicU32::new(0);
/// What was live when each last was noted.
static SEEN: [AtomicU64; Occasion::ALL.len()] = [const { AtomicU64::new(0) }; Occasion::ALL.len()];

/// Has a profile written soon, if the profiler is on and there is more to see than the last time. Any thread, with locks or without.
#[cold]
#[inline(never)]
pub(crate) fn note(occasion: Occasion) {
    if !is_on() || is_for_agent() {
        return;
    }
    let Some(seen) = SEEN.get(occasion as usize) else { return };
    // Relaxed, all: of two at once either may be first, and a note publishes nothing.
    let (live, last) = (live_bytes(), seen.load(Ordering::Relaxed));
    if live > last + last / 10 && seen.compare_exchange(last, live, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
        DUE.fetch_or(occasion.bit(), Ordering::Relaxed);
        signal::request(Request::Occasion);
    }
}

/// The occasions that were noted. Any thread, no lock held.
#[cold]
pub(super) fn take_due() -> impl Iterator<Item = Occasion> {
    let due = DUE.swap(0, Ordering::Relaxed);
    Occasion::ALL.into_iter().filter(move |occasion| due & occasion.bit() != 0)
}

/// It could not be written now.
pub(super) fn put_back(occasion: Occasion) {
    DUE.fetch_or(occasion.bit(), Ordering::Relaxed);
    signal::request(Request::Occasion);
}

/// In a child of fork: the occasion was the parent's.
pub(super) fn forget() {
    DUE.store(0, Ordering::Relaxed);
}
