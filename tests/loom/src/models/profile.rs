//! The profiler's tables: blocks by address, stacks by hash.

use loom::sync::Arc;
use loom::thread;

use super::check;
use crate::base::sync::{AtomicU64, AtomicUsize, Ordering};
use crate::profile::Weight;
use crate::profile::live::{Ended, Live, Sample};
use crate::profile::sites::{Freed, Site, Sites};

const SITES: usize = 4;
const WORDS: usize = 8;

struct Tables {
    place: [AtomicUsize; 1],
    sample: [Sample; 1],
    sites: [Site; SITES],
    freed: [Freed; SITES],
    taken: [AtomicU64; 1],
    words: [AtomicUsize; WORDS],
    used: AtomicUsize,
    /// What the program hands a block over by.
    handed: AtomicUsize,
}

impl Tables {
    fn new() -> Arc<Tables> {
        // SAFETY: zeroes are valid, as in the mapping that it is in the crate.
        let tables = Arc::new(unsafe { core::mem::zeroed::<Tables>() });
        // What is there from the start is there before the threads are (see base/sync.rs).
        assert!(tables.live().insert(16, sample(9)) && tables.live().remove(16).is_some());
        let words = |at: *const AtomicU64, bytes: usize| {
            // SAFETY: a site is nothing but such words, and so is what was freed of it.
            let words = unsafe { core::slice::from_raw_parts(at, bytes / size_of::<AtomicU64>()) };
            words.iter().for_each(|word| assert_eq!(word.load(Ordering::Relaxed), 0));
        };
        words(tables.sites.as_ptr().cast(), size_of_val(&tables.sites));
        words(tables.freed.as_ptr().cast(), size_of_val(&tables.freed));
        words(tables.taken.as_ptr(), size_of_val(&tables.taken));
        for word in tables.words.iter().chain([&tables.used, &tables.handed]) {
            word.load(Ordering::Relaxed);
        }
        tables
    }

    fn live(&self) -> Live<'_> {
        Live::new(&self.place, &self.sample)
    }

    fn sites(&self) -> Sites<'_> {
        let Tables { sites, freed, taken, words, used, .. } = self;
        Sites { sites, freed, taken, words, used }
    }
}

fn sample(number: u32) -> Ended {
    Ended { site: number, size: number as usize, made: number }
}

/// Two blocks and one place: whoever has it finds in it what it put there.
pub fn profile_a_place_is_one_blocks() {
    check(3, 0, || {
        let tables = Tables::new();
        let turn = |tables: &Tables, number: u32| {
            let at = number as usize * 32;
            let noted = tables.live().insert(at, sample(number));
            assert_eq!(tables.live().remove(at), noted.then(|| sample(number)));
            noted
        };
        let other = {
            let tables = tables.clone();
            thread::spawn(move || turn(&tables, 1))
        };
        let noted = turn(&tables, 2);
        assert!(other.join().unwrap() || noted);
        assert!(tables.live().insert(16, sample(3)));
    });
}

/// Of two that free a block at once one is told what it was.
pub fn profile_a_block_is_freed_once() {
    check(3, 0, || {
        let tables = Tables::new();
        assert!(tables.live().insert(32, sample(1)));
        let other = {
            let tables = tables.clone();
            thread::spawn(move || tables.live().remove(32))
        };
        let found = [tables.live().remove(32), other.join().unwrap()];
        assert!(found.contains(&None) && found.contains(&Some(sample(1))));
    });
}

/// Two threads of one name come by the same way: one site, whose frames whoever sees them sees whole.
pub fn profile_a_stack_is_kept_once() {
    check(3, 0, || {
        let tables = Tables::new();
        let keep = |tables: &Tables| {
            let number = tables.sites().keep(&[71, 72], [5, 6]);
            assert!(number > 0);
            if let Some((frames, name)) = tables.sites().stack(number) {
                let frames: Vec<usize> = frames.iter().map(|frame| frame.load(Ordering::Relaxed)).collect();
                assert_eq!((frames, name), (vec![71, 72], [5, 6]));
            }
            number
        };
        let other = {
            let tables = tables.clone();
            thread::spawn(move || keep(&tables))
        };
        assert_eq!(keep(&tables), other.join().unwrap());
        assert_eq!(tables.sites().frames(), 2);
    });
}

/// Whoever counts a block as freed counts it as allocated, in whichever thread either was.
pub fn profile_a_free_is_counted_after_its_allocation() {
    check(3, 0, || {
        let tables = Tables::new();
        let weight = Weight { objects: 10, bytes: 100 };
        // One that has gone already: a site of which nothing was allocated is not looked at.
        tables.sites().note_alloc(0, weight);
        tables.sites().note_free(0, weight, 0);
        let maker = {
            let tables = tables.clone();
            thread::spawn(move || {
                tables.sites().note_alloc(0, weight);
                tables.handed.store(1, Ordering::Release);
            })
        };
        let user = {
            let tables = tables.clone();
            thread::spawn(move || {
                if tables.handed.load(Ordering::Acquire) == 1 {
                    tables.sites().note_free(0, weight, 0);
                }
            })
        };
        for (_, totals) in tables.sites().each() {
            let (live, allocated) = (totals.live(), totals.allocated);
            assert!(live.objects <= allocated.objects && live.bytes <= allocated.bytes);
        }
        maker.join().unwrap();
        user.join().unwrap();
    });
}
