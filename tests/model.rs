//! The whole allocator against a naive model of one: random operations through `GlobalAlloc`, on several threads.
//!
//! The model is a map of the blocks in use. It checks that a fresh block overlaps none of them, that it is aligned, that
//! zeroed memory is zero, and that every block keeps its contents until it is freed, whoever frees it. Some are of arenas, and are freed with all
//! others there, or singly, as malloc's are.
//!
//! `cargo test --test model`, in the mode that the environment says and, in processes of their own, in the others.
//! PROPTEST_CASES=n for more cases.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "tests may allocate and panic"
)]

#[path = "model/arenas.rs"]
mod arenas;
#[path = "model/block.rs"]
mod block;

use std::alloc::Layout;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::FileFailurePersistence;

use arenas::{ARENAS, AnyArena, GIVEN, SHARED};
use block::{Block, Home, natural, realloc};

#[derive(Clone, Debug)]
enum Op {
    Alloc {
        size: usize,
        count: usize,
    },
    AllocZeroed {
        size: usize,
        count: usize,
    },
    Memalign {
        size: usize,
        shift: u32,
        zeroed: bool,
    },
    Free {
        from: Index,
        count: usize,
    },
    /// Freed by another thread, at some time from now on.
    FreeRemote {
        from: Index,
        count: usize,
        worker: usize,
    },
    Realloc {
        which: Index,
        size: usize,
    },
    /// A thread allocates, frees some of ours and ends; what it allocated lives on.
    ThreadExit {
        size: usize,
        count: usize,
        from: Index,
        frees: usize,
    },
    AllocIn {
        arena: usize,
        size: usize,
        count: usize,
    },
    /// In the shared arena, by a thread that ends then.
    AllocInByOther {
        size: usize,
        count: usize,
    },
    /// All blocks of an arena at once; with `end` it is another one after that.
    Reset {
        arena: usize,
        end: bool,
    },
}

/// The workers that free for others, and live as long as a case.
const WORKERS: usize = 2;

/// What a worker is told.
enum Job {
    Free(Block),
    /// To say that all is done that it was told before.
    Answer(Sender<()>),
}

type Worker = (Sender<Job>, JoinHandle<()>);

struct Model {
    held: BTreeMap<usize, Block>,
    /// The keys, in the order in which operations name them.
    order: Vec<usize>,
    arenas: Vec<Option<AnyArena>>,
}

impl Model {
    fn insert(&mut self, block: Block) {
        let (start, end) = (block.at.addr(), block.at.addr() + block.layout.size());
        if let Some((_, below)) = self.held.range(..=start).next_back() {
            assert!(below.at.addr() + below.layout.size() <= start, "{:p} overlaps {:p}", block.at, below.at);
        }
        if let Some((&above, _)) = self.held.range(start..).next() {
            assert!(end <= above, "{:p} overlaps {above:#x}", block.at);
        }
        self.held.insert(start, block);
        self.order.push(start);
    }

    fn take(&mut self, index: Index) -> Option<Block> {
        let index = (!self.order.is_empty()).then(|| index.index(self.order.len()))?;
        self.held.remove(&self.order.swap_remove(index))
    }

    fn take_some(&mut self, from: Index, count: usize) -> Vec<Block> {
        (0..count).map_while(|_| self.take(from)).collect()
    }

    fn apply(&mut self, op: &Op, workers: &[Worker]) {
        match *op {
            Op::Alloc { size, count } => self.allocate(size, count, false),
            Op::AllocZeroed { size, count } => self.allocate(size, count, true),
            Op::Memalign { size, shift, zeroed } => {
                self.insert(Block::new(Layout::from_size_align(size, 1 << shift).unwrap(), zeroed));
            }
            Op::Free { from, count } => self.take_some(from, count).into_iter().for_each(Block::free),
            Op::FreeRemote { from, count, worker } => {
                for block in self.take_some(from, count) {
                    workers[worker].0.send(Job::Free(block)).unwrap();
                }
            }
            Op::Realloc { which, size } => {
                if let Some(old) = self.take(which) {
                    self.insert(realloc(old, size));
                }
            }
            Op::ThreadExit { size, count, from, frees } => {
                let theirs = self.take_some(from, frees);
                let work = move || {
                    let made: Vec<_> = (0..count).map(|_| Block::new(natural(size), false)).collect();
                    theirs.into_iter().for_each(Block::free);
                    made
                };
                thread::spawn(work).join().unwrap().into_iter().for_each(|block| self.insert(block));
            }
            Op::AllocIn { arena, size, count } => {
                let made = |place: &AnyArena| -> Vec<_> {
                    (0..count).map_while(|_| Some(Block::of(arena, place.alloc(size)?, size))).collect()
                };
                let made = made(self.arena(arena));
                assert!(arena == GIVEN || made.len() == count, "out of memory: {size}");
                made.into_iter().for_each(|block| self.insert(block));
            }
            Op::AllocInByOther { size, count } => {
                let AnyArena::Shared(arena) = self.arena(SHARED) else { unreachable!() };
                let bytes = vec![1u8; size];
                let make = || -> Vec<_> {
                    let block = |_| Block::of(SHARED, arena.alloc_slice_copy(&bytes).unwrap().as_mut_ptr(), size);
                    (0..count).map(block).collect()
                };
                let made = thread::scope(|scope| scope.spawn(make).join().unwrap());
                made.into_iter().for_each(|block| self.insert(block));
            }
            Op::Reset { arena, end } => {
                let (send, receive) = channel();
                workers.iter().for_each(|worker| worker.0.send(Job::Answer(send.clone())).unwrap());
                workers.iter().for_each(|_| receive.recv().unwrap());
                let gone = self.forget(arena);
                let Some(place) = &mut self.arenas[arena] else { return };
                assert_eq!(place.reset(), gone);
                if end {
                    // The old one first: two can't have the same memory.
                    self.arenas[arena] = None;
                }
            }
        }
    }

    fn arena(&mut self, which: usize) -> &AnyArena {
        self.arenas[which].get_or_insert_with(|| AnyArena::new(which))
    }

    /// Forgets an arena's blocks, which go with it, and says how many they were. Those of which that is not known are freed.
    fn forget(&mut self, arena: usize) -> u64 {
        let (mut gone, mut freed) = (0, Vec::new());
        self.held.retain(|_, block| {
            block.check();
            match block.home {
                Home::Arena(home) if home == arena => gone += 1,
                Home::Perhaps(home) if home == arena => freed.push(*block),
                _ => return true,
            }
            false
        });
        freed.into_iter().for_each(Block::free);
        self.order.retain(|at| self.held.contains_key(at));
        gone
    }

    fn allocate(&mut self, size: usize, count: usize, zeroed: bool) {
        (0..count).for_each(|_| self.insert(Block::new(natural(size), zeroed)));
    }
}

fn run(ops: &[Op]) {
    let worker = || {
        let (send, receive) = channel::<Job>();
        let work = |job| match job {
            Job::Free(block) => block.free(),
            Job::Answer(to) => to.send(()).unwrap(),
        };
        (send, thread::spawn(move || receive.iter().for_each(work)))
    };
    let workers: Vec<_> = (0..WORKERS).map(|_| worker()).collect();
    let mut model = Model { held: BTreeMap::new(), order: Vec::new(), arenas: (0..ARENAS).map(|_| None).collect() };
    for op in ops {
        model.apply(op, &workers);
    }
    for (send, handle) in workers {
        drop(send);
        handle.join().unwrap();
    }
    // What of the arenas' blocks is left goes with them, of every second case; else singly.
    if ops.len() % 2 == 0 {
        for arena in 0..ARENAS {
            model.forget(arena);
        }
        model.arenas.clear();
    }
    model.held.into_values().for_each(Block::free);
}

/// Mostly tiny, some of each box, and often the borders between them.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        8 => 1..=1024usize,
        4 => 1025..=65_536usize,
        2 => 65_537..=1usize << 20,
        1 => (1usize << 20) + 1..=6 << 20,
        2 => prop::sample::select(&[16, 1024, 1025, 65_536, 65_537, 1 << 20, (1 << 20) + 1, 2 << 20][..]),
    ]
}

/// How many of a size: enough of the small ones to go through magazines and spans.
fn sizes() -> impl Strategy<Value = (usize, usize)> {
    size().prop_flat_map(|size| (Just(size), 1..=(200_000 / size).clamp(2, 400)))
}

fn op() -> impl Strategy<Value = Op> {
    let some = || (any::<Index>(), 1..300usize);
    prop_oneof![
        4 => sizes().prop_map(|(size, count)| Op::Alloc { size, count }),
        2 => sizes().prop_map(|(size, count)| Op::AllocZeroed { size, count }),
        2 => (size(), 0..=22u32, any::<bool>()).prop_map(|(size, shift, zeroed)| Op::Memalign { size, shift, zeroed }),
        4 => some().prop_map(|(from, count)| Op::Free { from, count }),
        4 => (some(), 0..WORKERS).prop_map(|((from, count), worker)| Op::FreeRemote { from, count, worker }),
        4 => (any::<Index>(), size()).prop_map(|(which, size)| Op::Realloc { which, size }),
        1 => (sizes(), some())
            .prop_map(|((size, count), (from, frees))| Op::ThreadExit { size, count, from, frees }),
        4 => (0..ARENAS, sizes()).prop_map(|(arena, (size, count))| Op::AllocIn { arena, size, count }),
        1 => sizes().prop_map(|(size, count)| Op::AllocInByOther { size, count }),
        2 => (0..ARENAS, any::<bool>()).prop_map(|(arena, end)| Op::Reset { arena, end }),
    ]
}

fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(200);
    ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/proptest-regressions/model.txt"))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn blocks_are_apart_aligned_and_keep_their_contents(ops in prop::collection::vec(op(), 1..60)) {
        // When the allocator ends the process there is no shrinking: what it was doing is left here.
        let last = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("model.{}.ops", std::process::id()));
        std::fs::write(&last, format!("{ops:#?}")).unwrap();
        run(&ops);
        std::fs::remove_file(&last).unwrap();
    }
}

/// The same in another process, under `mode`.
fn in_mode(mode: &[(&str, &str)]) {
    let program = std::env::current_exe().unwrap();
    // Of another architecture it is run by EMULATOR, and so is what it starts.
    let emulator = std::env::var("EMULATOR").unwrap_or_default();
    let mut words = emulator.split_whitespace().map(OsStr::new).chain([program.as_os_str()]);
    let mut test = Command::new(words.next().unwrap());
    test.args(words).args(["--exact", "blocks_are_apart_aligned_and_keep_their_contents"]).envs(mode.iter().copied());
    let output = test.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let last = concat!(env!("CARGO_TARGET_TMPDIR"), "/model.*.ops");
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{mode:?} {}; see {last}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn so_they_do_in_the_baseline() {
    in_mode(&[("HAKMEM_TINY_HEAP_V2", "0")]);
}

#[test]
fn so_they_do_in_the_baseline_without_its_list() {
    in_mode(&[("HAKMEM_TINY_HEAP_V2", "0"), ("HAKMEM_TINY_FRONT_DIRECT", "1")]);
}

#[test]
fn so_they_do_in_both_fronts_at_once() {
    in_mode(&[("HAKMEM_TINY_HEAP_V2", "1"), ("HAKMEM_TINY_HEAP_V2_CLASS_MASK", "0x55555")]);
}

#[test]
fn so_they_do_without_nodes() {
    in_mode(&[("HAKMEM_REMOTE_NODES", "0"), ("HAKMEM_SLOT_NODES", "0")]);
}

#[test]
fn so_they_do_when_nothing_idle_is_kept() {
    in_mode(&[("HAKMEM_DECAY_MS", "0"), ("HAKMEM_SUPERSLAB_CACHE", "0")]);
}

#[test]
fn so_they_do_in_hardened_heaps() {
    in_mode(&[("HAKMEM_HARDENED", "1")]);
}

#[test]
fn so_they_do_in_lightly_hardened_ones() {
    in_mode(&[("HAKMEM_HARDENED", "light")]);
}

#[test]
fn so_they_do_with_guarded_ones_among_them() {
    in_mode(&[
        ("HAKMEM_HARDENED", "1"),
        ("HAKMEM_GUARD_RATE", "7"),
        ("HAKMEM_TRACE", "1"),
        ("HAKMEM_QUARANTINE", "16K"),
    ]);
}
