//! `HakMem`, `&Arena` and `&SharedArena` as allocators of allocator-api2: each byte that a block is said to have is there and keeps what was written, through every
//! way to resize it; and the containers of allocator-api2 and hashbrown on them.

use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::mpsc;

use allocator_api2::alloc::Allocator;
use allocator_api2::boxed::Box;
use allocator_api2::vec::Vec;
use hakmem::{Arena, ArenaOptions, HakMem, SharedArena};
use hashbrown::{DefaultHashBuilder, HashMap, HashSet};

/// xorshift64*: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 20) as usize % bound.max(1)
    }

    /// Small ones mostly, some of the classes above, a few large ones, and none.
    fn size(&mut self) -> usize {
        match self.below(20) {
            0 => 0,
            1 if self.below(8) == 0 => 1 + self.below(3_000_000),
            1..5 => 1 + self.below(100_000),
            _ => 1 + self.below(1_500),
        }
    }

    fn layout(&mut self, size: usize) -> Layout {
        let align = if self.below(4) > 0 { 1 << self.below(5) } else { 1 << self.below(14) };
        Layout::from_size_align(size, align).unwrap()
    }
}

/// By memcmp, which is fast without optimisation too.
fn all_are(bytes: &[u8], byte: u8) -> bool {
    bytes.first().is_none_or(|first| *first == byte && bytes[1..] == bytes[..bytes.len() - 1])
}

/// A block, what it was asked for, and the byte that all of it is filled with.
struct Held {
    at: NonNull<u8>,
    len: usize,
    layout: Layout,
    byte: u8,
}

impl Held {
    fn new(got: NonNull<[u8]>, layout: Layout, byte: u8) -> Held {
        let held = Held { at: got.cast(), len: got.len(), layout, byte };
        assert!(held.len >= layout.size() && held.at.as_ptr().addr() % layout.align() == 0);
        held.bytes().fill(byte);
        held
    }

    fn bytes(&self) -> &mut [u8] {
        unsafe { std::slice::from_raw_parts_mut(self.at.as_ptr(), self.len) }
    }

    /// What fits the block: any size from the asked for to the given one.
    fn fitting(&self, random: &mut Random) -> Layout {
        let size = self.layout.size() + random.below(self.len - self.layout.size() + 1);
        Layout::from_size_align(size, self.layout.align()).unwrap()
    }

    fn keeps(&self, from: &Held, bytes: usize) {
        assert!(all_are(&self.bytes()[..bytes], from.byte), "{:?} of {:?}", self.layout, from.layout);
    }
}

fn every_way(source: impl Allocator, seed: u64, rounds: usize) {
    let mut random = Random(seed);
    let mut blocks: std::vec::Vec<Held> = std::vec::Vec::new();
    for round in 0..rounds {
        let byte = round as u8 | 1;
        if blocks.len() < 50 {
            let size = random.size();
            let layout = random.layout(size);
            let got = if round % 2 == 0 { source.allocate(layout) } else { source.allocate_zeroed(layout) }.unwrap();
            let zero = unsafe { got.as_ref() };
            assert!(round % 2 == 0 || all_are(zero, 0));
            blocks.push(Held::new(got, layout, byte));
            continue;
        }
        let old = blocks.swap_remove(random.below(blocks.len()));
        old.keeps(&old, old.len);
        let fits = old.fitting(&mut random);
        let other = random.size();
        match random.below(4) {
            0 => unsafe { source.deallocate(old.at, fits) },
            1 => {
                let layout = random.layout(fits.size().min(other));
                let held = unsafe { source.shrink(old.at, fits, layout) }.unwrap();
                let shrunk = Held { at: held.cast(), len: held.len(), layout, byte };
                shrunk.keeps(&old, layout.size());
                blocks.push(Held::new(held, layout, byte));
            }
            way => {
                let layout = random.layout(fits.size() + if fits.size() > 4_000_000 { 0 } else { other });
                let held = unsafe {
                    if way == 2 { source.grow(old.at, fits, layout) } else { source.grow_zeroed(old.at, fits, layout) }
                }
                .unwrap();
                let grown = Held { at: held.cast(), len: held.len(), layout, byte };
                grown.keeps(&old, fits.size());
                // What the old block had behind what was said of it may be kept instead.
                assert!(way == 2 || all_are(&grown.bytes()[old.len.min(grown.len)..], 0));
                blocks.push(Held::new(held, layout, byte));
            }
        }
    }
    for held in blocks {
        held.keeps(&held, held.len);
        unsafe { source.deallocate(held.at, held.layout) };
    }
}

fn containers<A: Allocator + Copy>(source: A) {
    let mut numbers = Vec::new_in(source);
    (0..100_000u64).for_each(|n| numbers.push(n));
    numbers.truncate(1000);
    numbers.shrink_to_fit();
    assert_eq!(numbers.iter().sum::<u64>(), 999 * 1000 / 2);
    let boxed: Box<[u64], A> = numbers.into_boxed_slice();
    assert_eq!(boxed.len(), 1000);
    assert_eq!(*Box::new_in(String::from("text"), source), "text");

    let mut map: HashMap<u64, Vec<u64, A>, DefaultHashBuilder, A> = HashMap::new_in(source);
    for n in 0..5000u64 {
        let mut list = Vec::with_capacity_in((n % 50) as usize, source);
        list.extend(0..n % 50);
        map.insert(n, list);
    }
    map.retain(|n, _| n % 3 != 0);
    assert!(map.iter().all(|(n, list)| list.len() as u64 == n % 50) && map.len() == 3333);
    let set: HashSet<u64, DefaultHashBuilder, A> = {
        let mut set = HashSet::new_in(source);
        set.extend(map.keys().copied());
        set
    };
    assert!(set.contains(&4) && !set.contains(&3));
}

fn limits() {
    let arena = ArenaOptions::new().name("small").limit(1 << 20).zeroed().build().unwrap();
    let mut bytes: Vec<u8, &Arena> = Vec::new_in(&arena);
    assert!(bytes.try_reserve(100_000).is_ok() && bytes.try_reserve(2_000_000).is_err());
    assert!(bytes.capacity() >= 100_000 && arena.stats().unwrap().refused > 0);
    assert!((&arena).allocate(Layout::array::<u8>(isize::MAX as usize).unwrap()).is_err());
    assert!(HakMem.allocate(Layout::array::<u8>(isize::MAX as usize).unwrap()).is_err());
    let smaller = ArenaOptions::new().limit(10_000).build().unwrap();
    assert_eq!(smaller.alloc([7u8; 20_000]).map(|_| ()).unwrap_err()[19_999], 7);
    assert_eq!(smaller.alloc((1, 2)).map(|pair| pair.1), Ok(2));
}

/// Requests, each with its arena: begun by one thread, ended by another.
fn handed_over(requests: u64) {
    let (to, from) = mpsc::sync_channel::<(u64, Arena)>(16);
    let server = std::thread::spawn(move || {
        from.iter().fold(0, |sum, (n, mut arena)| {
            every_way(&arena, n + 1, 120);
            arena.reset();
            let found = arena.alloc_slice_copy(&[n; 50]).unwrap()[49];
            assert_eq!(arena.stats().map(|stats| (stats.live_blocks, stats.resets)), Some((1, 1)));
            sum + found
        })
    });
    for n in 0..requests {
        let arena = Arena::new().unwrap();
        every_way(&arena, n ^ 0xABCD, 100);
        assert_eq!(arena.alloc_str("a request").map(|text| text.len()), Some(9));
        to.send((n, arena)).unwrap();
    }
    drop(to);
    assert_eq!(server.join().unwrap(), (0..requests).sum::<u64>());
}

/// Threads at once in one arena, each of which frees what others made.
fn shared() {
    let mut arena = SharedArena::new().unwrap();
    for round in 0..3 {
        let source = &arena;
        let lists: std::vec::Vec<Vec<Vec<u64, &SharedArena>, &SharedArena>> = std::thread::scope(|scope| {
            let make = |n: u64| {
                every_way(source, 100 * round + n + 1, 1_000);
                let mut list = Vec::new_in(source);
                for k in 0..500 {
                    let mut inner = Vec::new_in(source);
                    inner.extend(0..k % 40);
                    list.push(inner);
                }
                list
            };
            let threads: std::vec::Vec<_> = (0..4).map(|n| scope.spawn(move || make(n))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        std::thread::scope(|scope| {
            for list in lists {
                scope.spawn(move || {
                    list.iter().for_each(|inner| assert!(inner.iter().enumerate().all(|(n, m)| n as u64 == *m)))
                });
            }
        });
        containers(&arena);
        assert_eq!(arena.stats().map(|stats| (stats.live_blocks, stats.resets)), Some((0, round)));
        arena.alloc_str("kept until the reset").unwrap();
        arena.reset();
    }
}

pub fn all() {
    every_way(HakMem, 1, 6_000);
    containers(HakMem);
    let mut arena = Arena::new().unwrap();
    for round in 0..3 {
        every_way(&arena, round + 2, 2_000);
        containers(&arena);
        arena.reset();
    }
    assert!(HakMem.allocate(Layout::new::<[u8; 17]>()).is_ok_and(|got| got.len() >= 17));
    limits();
    handed_over(100);
    shared();
}
