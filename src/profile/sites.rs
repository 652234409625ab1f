//! `Sites`: the stacks that allocate, each kept once, with what was allocated and freed there, by age. No lock.
#![forbid(unsafe_code)]

use super::draw::Weight;
use crate::base::sync::{AtomicU64, AtomicUsize, Ordering};

/// Places where a stack may be.
const WINDOW: usize = 32;

/// A stack of one thread's, by the thread's name.
///
/// | `hash` | `frames` | meaning                                        |
/// |--------|----------|------------------------------------------------|
/// | 0      | 0        | nobody's                                       |
/// | other  | 0        | its frames are being written, or had no room   |
/// | other  | other    | they begin at the upper bits' word, `frames % 256` of them |
pub(crate) struct Site {
    hash: AtomicU64,
    frames: AtomicU64,
    name: [AtomicU64; 2],
    allocated: Sum,
    /// What was live here at the peak.
    peak: Sum,
}

impl Site {
    /// Where they are, for readers outside of the process.
    pub(super) const FRAMES: usize = core::mem::offset_of!(Site, frames);
    pub(super) const NAME: usize = core::mem::offset_of!(Site, name);
}

struct Sum {
    objects: AtomicU64,
    bytes: AtomicU64,
}

/// By which ages blocks that were freed are told apart: below 1 ms, below 10 ms, …, below 1000 s, and older.
pub(crate) const AGES: usize = 8;

/// What was freed of a site, by age.
pub(crate) struct Freed([Sum; AGES]);

/// What a site comes to: weights summed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Totals {
    pub(crate) allocated: Weight,
    pub(crate) freed: [Weight; AGES],
    pub(crate) peak: Weight,
}

impl Totals {
    pub(crate) fn live(&self) -> Weight {
        let freed = self.freed.iter();
        freed.fold(self.allocated, |Weight { objects, bytes }, freed| Weight {
            objects: objects.wrapping_sub(freed.objects),
            bytes: bytes.wrapping_sub(freed.bytes),
        })
    }
}

/// The index of an age in milliseconds.
fn age_index(ms: u32) -> usize {
    let (mut bound, mut index) = (1_u64, 0);
    while index < AGES - 1 && u64::from(ms) >= bound {
        (bound, index) = (bound * 10, index + 1);
    }
    index
}

pub(crate) struct Sites<'a> {
    /// A power of two of them. Number 0 is for what has no other: its stack is not known.
    pub(crate) sites: &'a [Site],
    /// Of each what was freed.
    pub(crate) freed: &'a [Freed],
    /// A bit for each that is somebody's.
    pub(crate) taken: &'a [AtomicU64],
    /// The frames of all, one behind the other.
    pub(crate) words: &'a [AtomicUsize],
    pub(crate) used: &'a AtomicUsize,
}

pub(crate) type Name = [u64; 2];

impl<'a> Sites<'a> {
    /// The number of a stack, 255 frames at most; 0 when there is no room for it.
    pub(crate) fn keep(&self, stack: &[usize], name: Name) -> u32 {
        if stack.is_empty() {
            return 0;
        }
        let mut hash = 0xCBF2_9CE4_8422_2325_u64;
        for word in name.into_iter().chain(stack.iter().map(|&frame| frame as u64)) {
            hash = (hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            hash ^= hash >> 29;
        }
        let hash = hash | 1;
        for step in 0..WINDOW.min(self.sites.len()) {
            let number = ((hash >> 20) as usize + step) % self.sites.len();
            let Some(site) = self.sites.get(number).filter(|_| number > 0) else { continue };
            // Relaxed, both: who finds a stack here only adds to its sums; what is written of it is published by `frames`.
            match site.hash.compare_exchange(0, hash, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    if let Some(taken) = self.taken.get(number / 64) {
                        taken.fetch_or(1 << (number % 64), Ordering::Relaxed);
                    }
                    self.write(site, stack, name);
                    return number as u32;
                }
                Err(held) if held == hash => return number as u32,
                Err(_) => {}
            }
        }
        0
    }

    fn write(&self, site: &Site, stack: &[usize], name: Name) {
        // Relaxed: only numbers are given out. More than there are may be asked for, at most once a site: no overflow.
        let start = self.used.fetch_add(stack.len(), Ordering::Relaxed);
        let Some(room) = self.words.get(start..start + stack.len()) else { return };
        for (slot, &frame) in room.iter().zip(stack) {
            slot.store(frame, Ordering::Relaxed);
        }
        for (slot, word) in site.name.iter().zip(name) {
            slot.store(word, Ordering::Relaxed);
        }
        // Release pairs with the Acquire in `frames`: who sees it sees the frames and the name.
        site.frames.store((start as u64) << 8 | stack.len() as u64, Ordering::Release);
    }

    fn site(&self, number: u32) -> Option<&'a Site> {
        self.sites.get(number as usize)
    }

    pub(crate) fn note_alloc(&self, number: u32, weight: Weight) {
        if let Some(site) = self.site(number) {
            // Relaxed: published by the Release in `note_free` of the same block, if anybody must know.
            site.allocated.objects.fetch_add(weight.objects, Ordering::Relaxed);
            site.allocated.bytes.fetch_add(weight.bytes, Ordering::Relaxed);
        }
    }

    /// Of a block that `note_alloc` was told of, with the same weight, so many milliseconds later.
    pub(crate) fn note_free(&self, number: u32, weight: Weight, ms: u32) {
        if let Some(sum) = self.freed.get(number as usize).and_then(|Freed(ages)| ages.get(age_index(ms))) {
            // Release, both, pair with the Acquires in `totals`: who counts the free counts the allocation.
            sum.objects.fetch_add(weight.objects, Ordering::Release);
            sum.bytes.fetch_add(weight.bytes, Ordering::Release);
        }
    }

    /// All sites of which anything was ever sampled.
    pub(crate) fn each(&self) -> impl Iterator<Item = (u32, Totals)> {
        let taken = |(index, word): (usize, &AtomicU64)| {
            // Number 0 is taken from the start. Relaxed: a site of this moment may be left out.
            let mut bits = word.load(Ordering::Relaxed) | u64::from(index == 0);
            core::iter::from_fn(move || {
                let bit = bits.checked_ilog2()?;
                bits &= !(1 << bit);
                Some((index * 64) as u32 + bit)
            })
        };
        let numbers = self.taken.iter().enumerate().flat_map(taken);
        numbers.filter_map(|number| {
            Some((number, self.totals(number)?)).filter(|(_, totals)| totals.allocated.objects > 0)
        })
    }

    /// From now on what is live is what was live at the peak. One thread at a time.
    pub(crate) fn copy_peak(&self) {
        for (number, totals) in self.each() {
            if let Some(site) = self.site(number) {
                let Weight { objects, bytes } = totals.live();
                // Relaxed: figures, of which a reader has those of one copy by the lock on copies.
                site.peak.objects.store(objects, Ordering::Relaxed);
                site.peak.bytes.store(bytes, Ordering::Relaxed);
            }
        }
    }

    /// What a site comes to now.
    pub(crate) fn totals(&self, number: u32) -> Option<Totals> {
        let (site, Freed(ages)) = (self.site(number)?, self.freed.get(number as usize)?);
        let mut freed = [Weight { objects: 0, bytes: 0 }; AGES];
        // The freed ones first. Acquire: see `note_free`.
        for (total, sum) in freed.iter_mut().zip(ages) {
            *total = Weight { objects: sum.objects.load(Ordering::Acquire), bytes: sum.bytes.load(Ordering::Acquire) };
        }
        // Relaxed: see `note_alloc`, `copy_peak`.
        Some(Totals { freed, allocated: site.allocated.load(), peak: site.peak.load() })
    }

    /// The frames of a site, innermost first, and its thread's name; `None` when they are not known.
    pub(crate) fn stack(&self, number: u32) -> Option<(&'a [AtomicUsize], Name)> {
        let site = self.site(number)?;
        // Acquire pairs with the Release in `write`.
        let frames = site.frames.load(Ordering::Acquire);
        let (start, len) = ((frames >> 8) as usize, (frames & 0xFF) as usize);
        let words = self.words.get(start..start + len).filter(|words| !words.is_empty())?;
        let [first, second] = &site.name;
        Some((words, [first.load(Ordering::Relaxed), second.load(Ordering::Relaxed)]))
    }

    /// Frames kept so far.
    pub(crate) fn frames(&self) -> usize {
        self.used.load(Ordering::Relaxed).min(self.words.len())
    }
}

impl Sum {
    fn load(&self) -> Weight {
        Weight { objects: self.objects.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }
}

const _: () = assert!(size_of::<Site>() == 64, "a line of the cache");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_apart_by_powers_of_ten() {
        for (ms, index) in [(0, 0), (1, 1), (9, 1), (10, 2), (99_999, 5), (100_000, 6), (1_000_000, 7), (u32::MAX, 7)] {
            assert_eq!(age_index(ms), index, "{ms}");
        }
    }
}
