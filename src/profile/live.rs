//! `Live`: the sampled blocks that are not freed yet, by address. No lock: a place is taken by one compare-exchange and given up by one.
//!
//! An address's places are a window: who looks for it looks at all of them, so a place that was given up is just free.
#![forbid(unsafe_code)]

use crate::base::sync::{AtomicU32, AtomicUsize, Ordering};

/// Places where an address may be. Half full, 2^-32 of the blocks find none.
const WINDOW: usize = 32;
/// A place that is being filled: no block's address.
const TAKEN: usize = 1;

/// What is known of a block. Written while its place is `TAKEN`.
pub(crate) struct Sample {
    size: AtomicUsize,
    site: AtomicU32,
    /// When it was made, in milliseconds, modulo 2^32.
    made: AtomicU32,
}

impl Sample {
    /// Where `site` is, for readers outside of the process.
    pub(super) const SITE: usize = core::mem::offset_of!(Sample, site);
}

/// What `remove` found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ended {
    pub(crate) site: u32,
    pub(crate) size: usize,
    pub(crate) made: u32,
}

/// Both as long, a power of two.
pub(crate) struct Live<'a> {
    pub(super) places: &'a [AtomicUsize],
    pub(super) samples: &'a [Sample],
}

impl<'a> Live<'a> {
    pub(crate) fn new(places: &'a [AtomicUsize], samples: &'a [Sample]) -> Live<'a> {
        Live { places, samples }
    }

    fn window(&self, at: usize) -> impl Iterator<Item = (&'a AtomicUsize, &'a Sample)> {
        let (places, samples) = (self.places, self.samples);
        let first = ((at as u64 >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize;
        let mask = places.len().wrapping_sub(1);
        (0..WINDOW.min(places.len())).filter_map(move |step| {
            let number = (first + step) & mask;
            places.get(number).zip(samples.get(number))
        })
    }

    /// Notes a block, which is not noted yet. `false`: there is no room.
    pub(crate) fn insert(&self, at: usize, Ended { site, size, made }: Ended) -> bool {
        for (place, sample) in self.window(at) {
            // Relaxed: only to spare the compare-exchange. Its Acquire pairs with the Release in `remove`: the last one's figures were read.
            if place.load(Ordering::Relaxed) == 0
                && place.compare_exchange(0, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_ok()
            {
                // Relaxed, all: whoever frees the block got it by the program's own synchronisation after this.
                sample.size.store(size, Ordering::Relaxed);
                sample.site.store(site, Ordering::Relaxed);
                sample.made.store(made, Ordering::Relaxed);
                place.store(at, Ordering::Relaxed);
                return true;
            }
        }
        false
    }

    /// Takes a block's note out. `None`: there is none. Of two at once, one gets it.
    pub(crate) fn remove(&self, at: usize) -> Option<Ended> {
        // Relaxed: see `insert`.
        let (place, sample) = self.window(at).find(|(place, _)| place.load(Ordering::Relaxed) == at)?;
        let ended = Ended {
            site: sample.site.load(Ordering::Relaxed),
            size: sample.size.load(Ordering::Relaxed),
            made: sample.made.load(Ordering::Relaxed),
        };
        // Release pairs with the Acquire in `insert`.
        place.compare_exchange(at, 0, Ordering::Release, Ordering::Relaxed).is_ok().then_some(ended)
    }
}
