//! The tables: mapped when the profiler is first switched on, and never unmapped.

use core::mem::{offset_of, size_of};
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use super::live::{Live, Sample};
use super::sites::{Freed, Site, Sites};
use super::stacks;
use crate::base::bits::round_up;
use crate::base::layout::{self, At};
use crate::base::sync::AtomicUsize;
use crate::config;
use crate::os;
use crate::os::names::{self, Name};

const LIVE: usize = 1 << 17;
const SITES: usize = 1 << 15;
const WORDS: usize = 1 << 20;

/// All of it zero at first. 17 MiB, touched where used.
pub(super) struct Tables {
    sites: [Site; SITES],
    freed: [Freed; SITES],
    taken: [AtomicU64; SITES / 64],
    samples: [Sample; LIVE],
    places: [AtomicUsize; LIVE],
    words: [AtomicUsize; WORDS],
    used: AtomicUsize,
}

pub(crate) const LAYOUT: layout::Profile = layout::Profile {
    tables_at: At((&raw const TABLES).cast()),
    tables_bytes: size_of::<Tables>(),
    stacks_at: stacks::AT,
    stacks_bytes: stacks::ALL,
    places: offset_of!(Tables, places),
    samples: offset_of!(Tables, samples),
    sample_count: LIVE,
    sample_size: size_of::<Sample>(),
    sample_site: Sample::SITE,
    sites: offset_of!(Tables, sites),
    site_size: size_of::<Site>(),
    site_frames: Site::FRAMES,
    site_name: Site::NAME,
    words: offset_of!(Tables, words),
};

const _: () = assert!(size_of::<Tables>() + (2 << 20) <= 24 << 20, "docs/PROFILING.md says so");

static TABLES: AtomicPtr<Tables> = AtomicPtr::new(core::ptr::null_mut());
/// Mean bytes between samples. Set once, before the tables are there.
static RATE: AtomicU64 = AtomicU64::new(0);

/// Mean bytes between samples.
pub(super) fn rate() -> u64 {
    // Relaxed: set before the tables are published, and a meter that reads 0 samples once too often.
    RATE.load(Ordering::Relaxed)
}

/// `None`: it was never on.
pub(super) fn get() -> Option<&'static Tables> {
    // SAFETY: null, or mapped for ever. Acquire pairs with the Release in `map`.
    unsafe { TABLES.load(Ordering::Acquire).as_ref() }
}

impl Tables {
    pub(super) fn sites(&self) -> Sites<'_> {
        let Tables { sites, freed, taken, words, used, .. } = self;
        Sites { sites, freed, taken, words, used }
    }

    pub(super) fn live(&self) -> Live<'_> {
        Live::new(&self.places, &self.samples)
    }
}

/// Maps them, the first time. `None`: refused.
pub(super) fn map() -> Option<()> {
    let bytes = round_up(size_of::<Tables>(), os::page_size())?;
    let at = os::map(bytes)?;
    names::give(at, bytes, Name::Profile);
    os::advise_huge(at, bytes, false);
    // Relaxed: published below.
    RATE.store(config::get::prof_rate().max(1) as u64, Ordering::Relaxed);
    // Of two threads that come here at once, one's tables stay. Release pairs with the Acquire in `get`; zeroes are valid.
    let first =
        TABLES.compare_exchange(core::ptr::null_mut(), at.as_ptr(), Ordering::Release, Ordering::Relaxed).is_ok();
    if !first {
        os::unmap(at, bytes);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::draw::Weight;
    use super::*;

    #[test]
    fn what_is_live_is_what_was_not_freed_at_any_age() {
        // SAFETY: zeroes are valid, and the allocator's.
        let tables = unsafe { std::boxed::Box::<Tables>::new_zeroed().assume_init() };
        let sites = tables.sites();
        let number = sites.keep(&[1, 2], [3, 4]);
        let weight = |objects| Weight { objects, bytes: 10 * objects };
        sites.note_alloc(number, weight(7));
        sites.note_alloc(0, weight(5));
        sites.copy_peak();
        sites.note_free(number, weight(2), 0);
        sites.note_free(number, weight(3), 5000);
        let all: std::vec::Vec<_> = sites.each().collect();
        let [(0, unknown), (found, totals)] = all[..] else { panic!("{all:?}") };
        assert_eq!((unknown.live(), unknown.peak), (weight(5), weight(5)));
        assert_eq!((found, totals.live(), totals.peak), (number, weight(2), weight(7)));
        assert_eq!((totals.freed[0], totals.freed[4]), (weight(2), weight(3)));
    }
}
