//! Every request to the kernel refused: one at a time, and all from one on.
//!
//! A scenario goes down every path that asks the kernel. Each run of it is a process of its own, this test binary once
//! more, so that it begins with nothing mapped. In it null may be returned, with ENOMEM, and no block may lose a byte; once
//! the kernel serves again, so does the allocator.

use std::process::Command;
use std::vec::Vec;

use errno::errno;

use super::{alloc, alloc_aligned, alloc_zeroed, free, realloc, trim, usable_size};
use crate::baseline;
use crate::class::ClassId;
use crate::heap::{self, Current};
use crate::meta;
use crate::os::fake::{self, Plan, with_plan};

/// Names the plan to the process that runs the scenario.
const PLAN: &str = "FAULTS_PLAN";

/// A block in use: where, and how many bytes of it are written.
struct Block(*mut u8, usize);

// SAFETY: whoever has the value owns the block.
unsafe impl Send for Block {}

impl Block {
    fn bytes(&mut self) -> impl Iterator<Item = &mut u8> {
        // SAFETY: the block is ours and this long; fresh memory from the kernel is initialised.
        let bytes = unsafe { core::slice::from_raw_parts_mut(self.0, self.1) };
        // One in each of the first pages, then in each 16th: most of the scenario's time goes into touching memory.
        let pages = bytes.chunks_mut(4093).enumerate().filter(|(page, _)| *page < 4 || page % 16 == 0);
        pages.filter_map(|(_, page)| page.first_mut())
    }

    fn mark(&self) -> u8 {
        (self.0.addr() >> 4) as u8 ^ (self.0.addr() >> 16) as u8
    }

    fn fill(&mut self) {
        let mark = self.mark();
        self.bytes().for_each(|byte| *byte = mark);
    }

    fn check(&mut self, mark: u8) {
        let (at, size) = (self.0, self.1);
        assert!(self.bytes().all(|byte| *byte == mark), "{at:p} of {size} bytes has changed");
    }
}

#[derive(Default)]
struct Live {
    blocks: Vec<Block>,
    nulls: usize,
}

impl Live {
    /// Takes in what an allocation returned. Says whether that was a block.
    fn keep(&mut self, block: *mut u8, size: usize) -> bool {
        if block.is_null() {
            assert_eq!(errno().0, libc::ENOMEM);
            self.nulls += 1;
            return false;
        }
        assert!(usable_size(block).is_some_and(|usable| usable >= size));
        assert!(fake::reaches(block.addr() + size), "{block:p} of {size} bytes");
        let mut block = Block(block, size);
        block.fill();
        self.blocks.push(block);
        true
    }

    fn zeroed(&mut self, size: usize) {
        let block = alloc_zeroed(size);
        if !block.is_null() {
            Block(block, size).check(0);
        }
        self.keep(block, size);
    }

    /// Takes the newest block through `sizes`; where one is refused it stays as it was.
    fn resize(&mut self, sizes: &[usize]) {
        let Some(mut block) = self.blocks.pop() else { return };
        for &size in sizes {
            let mark = block.mark();
            let moved = realloc(block.0, size);
            if moved.is_null() {
                self.nulls += 1;
                block.check(mark);
                continue;
            }
            Block(moved, size.min(block.1)).check(mark);
            block = Block(moved, size);
            block.fill();
        }
        self.blocks.push(block);
    }

    fn check(&mut self) {
        for block in &mut self.blocks {
            let mark = block.mark();
            block.check(mark);
        }
    }

    fn free(&mut self, which: impl Fn(usize) -> bool) {
        let mut at = 0;
        self.blocks.retain_mut(|block| {
            at += 1;
            if which(at) {
                let mark = block.mark();
                block.check(mark);
                free(block.0);
            }
            !which(at)
        });
    }
}

/// Uses up the records at hand, so that the next one needs the kernel.
fn starve() {
    with_plan(Plan::RefuseFrom(0), || {
        for shift in (6..=14).rev() {
            while meta::alloc(1 << shift).is_some() {}
        }
    });
}

/// Every size class, the mid ones past their first span.
fn classes(live: &mut Live) {
    for class in ClassId::all() {
        let count = if class.is_tiny() { 40 } else { class.blocks_per_span() + 1 };
        for _ in 0..count {
            live.keep(alloc(class.block_size()), class.block_size());
        }
    }
}

fn larges(live: &mut Live) {
    for size in [65_537, 200_000, 1 << 20, (1 << 20) + 1, 3 << 20, 9 << 20] {
        live.keep(alloc(size), size);
        live.zeroed(size);
    }
    for (size, align) in [(100, 4096), (70_000, 1 << 16), (100_000, 1 << 17), (3 << 20, 1 << 22), (10, 1 << 23)] {
        let block = alloc_aligned(size, align);
        assert!(block.addr() % align == 0);
        live.keep(block, size);
    }
}

/// Blocks of another heap, whose thread has ended.
fn others() -> Vec<Block> {
    std::thread::spawn(|| (0..500).map(|_| Block(alloc(600), 600)).collect()).join().unwrap()
}

unsafe extern "C" fn nothing(_: *mut core::ffi::c_void) {}

/// What the thread's destructors do, here where the plan still holds.
fn exit_thread() {
    for _ in 0..3 {
        if let Current::Heap(heap) = heap::current()
            && let Some(left) = heap::leave(heap, nothing)
        {
            heap::orphan(left, baseline::close);
        }
    }
    assert!(!matches!(heap::current(), Current::Heap(_)));
}

/// All paths to the kernel, on the calling thread.
fn scenario(live: &mut Live) {
    // The first heap, record, SuperSlab and leaf of the process.
    live.keep(alloc(16), 16);
    live.zeroed(100);
    starve();
    classes(live);
    starve();
    larges(live);
    live.check();

    // In place, by pages, by copying; up and down, from each kind of block to each other.
    for sizes in [
        &[200, 5_000, 70_000, 300_000, 900_000, 1_500_000, 6 << 20, 20 << 20, 2 << 20, 900_000, 100_000, 3_000, 50][..],
        &[3 << 20, 100, 80_000, 20, 2 << 20, 5 << 20, 12 << 20],
    ] {
        starve();
        if live.keep(alloc(100), 100) {
            live.resize(sizes);
        }
        // In the way of the next one's growth.
        live.keep(alloc(2 << 20), 2 << 20);
    }
    live.check();

    starve();
    others().into_iter().for_each(|block| free(block.0));

    // In runs, so that pages become free inside of spans, and slots in SuperSlabs.
    live.free(|at| at % 256 < 128);
    live.check();
    trim();
    // More than may stay dirty; then caches have something to give.
    for round in 0..2 {
        let first = live.blocks.len();
        for _ in 0..6 {
            live.keep(alloc(9 << 20), 9 << 20);
            live.keep(alloc(900_000), 900_000);
        }
        live.free(|at| at > first && at % 3 != round);
        // Made of what two of them left, and moved when it grows.
        if live.keep(alloc(16 << 20), 16 << 20) {
            live.resize(&[40 << 20]);
        }
    }
    classes(live);
    live.free(|at| at % 256 >= 128);
    live.check();
    trim();

    starve();
    live.keep(alloc(40), 40);
    exit_thread();
    // Late: without a heap of its own.
    for size in [50, 5_000, 100_000, 2 << 20] {
        live.keep(alloc(size), size);
    }
    live.free(|at| at % 4 == 0);
    trim();
    live.check();
}

/// Under `plan`, and afterwards. Returns the number of requests.
fn run(plan: Plan) -> u64 {
    let mut live = Live::default();
    let ((), requests) = with_plan(plan, || scenario(&mut live));
    let refused = match plan {
        Plan::Serve => false,
        Plan::RefuseNth(n) | Plan::RefuseFrom(n) => n < requests,
    };
    assert!(refused || live.nulls == 0, "{} nulls, and nothing was refused", live.nulls);
    // Served again: on this thread, which is late, and on a new one.
    let again = move || {
        let nulls = live.nulls;
        live.check();
        classes(&mut live);
        larges(&mut live);
        assert_eq!(live.nulls, nulls, "served again, and still null");
        live.free(|at| at % 2 == 0);
        live.check();
        live
    };
    let mut live = again();
    let live = std::thread::spawn(move || {
        let nulls = live.nulls;
        classes(&mut live);
        larges(&mut live);
        assert_eq!(live.nulls, nulls, "served again, and still null");
        live.free(|_| true);
        trim();
        live
    });
    assert!(live.join().unwrap().blocks.is_empty());
    requests
}

/// Not a test but the process that runs the scenario once.
#[test]
#[ignore = "run by the other tests of this module"]
fn scenario_under_a_plan() {
    let Ok(plan) = std::env::var(PLAN) else { return };
    let plan = match plan.split_once(' ').map(|(kind, n)| (kind, n.parse())) {
        Some(("nth", Ok(n))) => Plan::RefuseNth(n),
        Some(("from", Ok(n))) => Plan::RefuseFrom(n),
        Some(("bits", Ok(n))) => {
            fake::narrow(n as u32);
            Plan::Serve
        }
        _ => Plan::Serve,
    };
    let requests = std::thread::spawn(move || run(plan)).join().unwrap();
    println!("\nrequests {requests}");
}

/// The scenario in another process. Returns the number of requests.
fn in_process(plan: &str, mode: &[(&str, &str)]) -> u64 {
    let mut scenario = Command::new("timeout");
    scenario.arg("60").arg(std::env::current_exe().unwrap());
    scenario.args(["--exact", "front::faults::scenario_under_a_plan", "--ignored", "--nocapture", "--test-threads=1"]);
    let output = scenario.env(PLAN, plan).envs(mode.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let requests = text.lines().find_map(|line| line.strip_prefix("requests ")?.parse().ok());
    match requests.filter(|_| output.status.success()) {
        Some(requests) => requests,
        None => {
            panic!("{plan} {mode:?}: {}\n{text}\n{}", output.status, String::from_utf8_lossy(&output.stderr))
        }
    }
}

/// Refuses request n, and all from n on, for every n there is, or for each `step`th.
fn refuse_each(step: u64, mode: &[(&str, &str)]) {
    let all = in_process("serve", mode);
    assert!(all > 50, "the scenario asks the kernel {all} times");
    for kind in ["nth", "from"] {
        let mut n = 0;
        while n < in_process(&format!("{kind} {n}"), mode) {
            n += step;
        }
    }
}

#[test]
fn a_refused_request_costs_nothing_but_that() {
    refuse_each(1, &[]);
}

#[test]
fn nor_does_it_in_the_baseline() {
    refuse_each(3, &[("HAKMEM_TINY_HEAP_V2", "0")]);
}

#[test]
fn nor_does_it_when_nothing_idle_is_kept() {
    refuse_each(3, &[("HAKMEM_DECAY_MS", "0"), ("HAKMEM_SUPERSLAB_CACHE", "0")]);
}

/// arm64 has 36 to 48 bits, by the kernel's pages and levels of tables.
#[test]
fn fewer_addresses_are_enough_and_none_beyond_is_asked_for() {
    for bits in [36, 39, 42, 46] {
        in_process(&format!("bits {bits}"), &[]);
    }
}
