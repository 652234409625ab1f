//! `Sites`: the stacks that allocate, each kept once, with what was allocated and freed there. No lock.
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
    freed: Sum,
}

struct Sum {
    objects: AtomicU64,
    bytes: AtomicU64,
}

/// What a site comes to: weights summed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Totals {
    pub(crate) allocated: Weight,
    pub(crate) live: Weight,
}

pub(crate) struct Sites<'a> {
    /// A power of two of them. Number 0 is for what has no other: its stack is not known.
    pub(super) sites: &'a [Site],
    /// The frames of all, one behind the other.
    pub(super) words: &'a [AtomicUsize],
    pub(super) used: &'a AtomicUsize,
}

pub(crate) type Name = [u64; 2];

impl<'a> Sites<'a> {
    pub(crate) fn new(sites: &'a [Site], words: &'a [AtomicUsize], used: &'a AtomicUsize) -> Sites<'a> {
        Sites { sites, words, used }
    }

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

    /// Of a block that `note_alloc` was told of, with the same weight.
    pub(crate) fn note_free(&self, number: u32, weight: Weight) {
        if let Some(site) = self.site(number) {
            // Release, both, pair with the Acquires in `totals`: who counts the free counts the allocation.
            site.freed.objects.fetch_add(weight.objects, Ordering::Release);
            site.freed.bytes.fetch_add(weight.bytes, Ordering::Release);
        }
    }

    /// All sites of which anything was ever sampled.
    pub(crate) fn each(&self) -> impl Iterator<Item = (u32, Totals)> {
        let sites = self.sites;
        sites.iter().enumerate().filter_map(|(number, site)| {
            let totals = site.totals();
            (totals.allocated.objects > 0).then_some((number as u32, totals))
        })
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

impl Site {
    fn totals(&self) -> Totals {
        // The freed ones first. Acquire: see `note_free`.
        let freed = (self.freed.objects.load(Ordering::Acquire), self.freed.bytes.load(Ordering::Acquire));
        // Relaxed: see `note_alloc`.
        let allocated = Weight {
            objects: self.allocated.objects.load(Ordering::Relaxed),
            bytes: self.allocated.bytes.load(Ordering::Relaxed),
        };
        let live =
            Weight { objects: allocated.objects.wrapping_sub(freed.0), bytes: allocated.bytes.wrapping_sub(freed.1) };
        Totals { allocated, live }
    }
}

const _: () = assert!(size_of::<Site>() == 64, "a line of the cache");
