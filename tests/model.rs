//! The whole allocator against a naive model of one: random operations through `GlobalAlloc`, on several threads.
//!
//! The model is a map of the blocks in use. It checks that a fresh block overlaps none of them, that it is aligned, that
//! zeroed memory is zero, and that every block keeps its contents until it is freed, whoever frees it.
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

use std::alloc::{GlobalAlloc, Layout};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use hakmem::HakMem;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::FileFailurePersistence;

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
}

/// The workers that free for others, and live as long as a case.
const WORKERS: usize = 2;

/// A block in use. Its contents follow from its address and length.
#[derive(Clone, Copy)]
struct Block {
    at: *mut u8,
    layout: Layout,
}

// SAFETY: whoever has the value owns the block.
unsafe impl Send for Block {}

/// The bytes of a block that are written and checked: all near its ends, one in 512 between.
fn offsets(size: usize) -> impl Iterator<Item = usize> {
    let near = size.min(64);
    let far = size.saturating_sub(64).max(near);
    (0..near).chain((near..far).step_by(512)).chain(far..size)
}

fn byte(at: *mut u8, size: usize, offset: usize) -> u8 {
    let mix = (at.addr() ^ size.rotate_left(20) ^ offset).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mix >> 56) as u8 | 1
}

impl Block {
    /// Allocates and checks what can be said of a block alone.
    fn new(layout: Layout, zeroed: bool) -> Block {
        // SAFETY: the size is not zero.
        let at = unsafe { if zeroed { HakMem.alloc_zeroed(layout) } else { HakMem.alloc(layout) } };
        assert!(!at.is_null(), "out of memory: {layout:?}");
        assert!(at.addr() % layout.align().max(16) == 0, "{at:p} {layout:?}");
        if zeroed {
            // SAFETY: a fresh block, initialised.
            let bytes = unsafe { std::slice::from_raw_parts(at, layout.size()) };
            assert!(bytes.chunks(4096).all(|chunk| *chunk == [0; 4096][..chunk.len()]), "not zero: {at:p} {layout:?}");
        }
        let block = Block { at, layout };
        block.fill();
        block
    }

    fn fill(&self) {
        for offset in offsets(self.layout.size()) {
            // SAFETY: below the block's size.
            unsafe { self.at.add(offset).write(byte(self.at, self.layout.size(), offset)) };
        }
    }

    fn check(&self) {
        self.check_first(self.at, self.layout.size(), self.layout.size());
    }

    /// That the first `held` bytes are those of a block that was filled at `at` with `size`.
    fn check_first(&self, at: *mut u8, size: usize, held: usize) {
        for offset in offsets(size).filter(|&offset| offset < held) {
            // SAFETY: below the block's size.
            let found = unsafe { self.at.add(offset).read() };
            assert_eq!(found, byte(at, size, offset), "byte {offset} of {:p} {:?}", self.at, self.layout);
        }
    }

    fn free(self) {
        self.check();
        // SAFETY: allocated with this layout, and owned.
        unsafe { HakMem.dealloc(self.at, self.layout) };
    }
}

#[derive(Default)]
struct Model {
    held: BTreeMap<usize, Block>,
    /// The keys, in the order in which operations name them.
    order: Vec<usize>,
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

    fn apply(&mut self, op: &Op, workers: &[(Sender<Block>, JoinHandle<()>)]) {
        match *op {
            Op::Alloc { size, count } => self.allocate(size, count, false),
            Op::AllocZeroed { size, count } => self.allocate(size, count, true),
            Op::Memalign { size, shift, zeroed } => {
                self.insert(Block::new(Layout::from_size_align(size, 1 << shift).unwrap(), zeroed));
            }
            Op::Free { from, count } => self.take_some(from, count).into_iter().for_each(Block::free),
            Op::FreeRemote { from, count, worker } => {
                for block in self.take_some(from, count) {
                    workers[worker].0.send(block).unwrap();
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
        }
    }

    fn allocate(&mut self, size: usize, count: usize, zeroed: bool) {
        (0..count).for_each(|_| self.insert(Block::new(natural(size), zeroed)));
    }
}

fn natural(size: usize) -> Layout {
    Layout::from_size_align(size, 8).unwrap()
}

fn realloc(old: Block, size: usize) -> Block {
    old.check();
    // SAFETY: allocated with this layout, and owned; the new size is not zero.
    let at = unsafe { HakMem.realloc(old.at, old.layout, size) };
    assert!(!at.is_null() && at.addr() % old.layout.align().max(16) == 0, "{at:p} {:?}", old.layout);
    let block = Block { at, layout: Layout::from_size_align(size, old.layout.align()).unwrap() };
    block.check_first(old.at, old.layout.size(), size.min(old.layout.size()));
    block.fill();
    block
}

fn run(ops: &[Op]) {
    let worker = || {
        let (send, receive) = channel::<Block>();
        (send, thread::spawn(move || receive.iter().for_each(Block::free)))
    };
    let workers: Vec<_> = (0..WORKERS).map(|_| worker()).collect();
    let mut model = Model::default();
    for op in ops {
        model.apply(op, &workers);
    }
    for (send, handle) in workers {
        drop(send);
        handle.join().unwrap();
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
