//! A thread of a replay: goes through its steps.

use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use super::layout::{CALLS, Kind, Step, Touch};
use super::stage::{Rows, Stage};
use super::ticks;
use crate::histogram;

/// A thread's own figures, in a row of a table.
pub(super) struct Latencies {
    pub(super) counts: [[u64; histogram::BUCKETS]; CALLS],
    pub(super) longest: [u64; CALLS],
}

const MALLOC: usize = 0;
const FREE: usize = 1;
const REALLOC: usize = 2;

/// Where a block should be that the allocator refused.
const REFUSED: u64 = 1;
/// Stacks count as resident; a replay needs little of one.
const STACK: usize = 128 << 10;

#[derive(Clone, Copy)]
pub(super) struct Cast {
    pub(super) stage: &'static Stage,
    /// With a row a thread where calls are timed.
    pub(super) latencies: Option<Rows<Latencies>>,
    pub(super) overhead: u64,
}

/// What a new thread is told, in a row of a table.
pub(super) struct Entrance {
    cast: Cast,
    thread: usize,
    entrances: Rows<Entrance>,
}

/// Steps of the thread of that number.
pub(super) fn play(cast: Cast, thread: usize, entrances: Rows<Entrance>) {
    if cast.latencies.is_some() {
        Worker::<true> { cast, thread, entrances, live: 0 }.run();
    } else {
        Worker::<false> { cast, thread, entrances, live: 0 }.run();
    }
}

extern "C" fn enter(entrance: *mut libc::c_void) -> *mut libc::c_void {
    // SAFETY: `Worker::spawn` wrote it, for this thread.
    let entrance = unsafe { &*entrance.cast::<Entrance>() };
    play(entrance.cast, entrance.thread, entrance.entrances);
    ptr::null_mut()
}

/// `TIMED`: each call.
struct Worker<const TIMED: bool> {
    cast: Cast,
    thread: usize,
    entrances: Rows<Entrance>,
    /// By how much it changed the live bytes in this segment.
    live: u64,
}

impl<const TIMED: bool> Worker<TIMED> {
    fn run(mut self) {
        let stage = self.cast.stage;
        let Some(plan) = stage.threads.get(self.thread) else { return };
        let (first, count) = (plan.first as usize, plan.steps as usize);
        let mut steps = stage.steps.get(first..first + count).unwrap_or_default().iter();
        while let Some(&step) = steps.next() {
            let size = step.number() as usize;
            match step.kind() {
                Some(Kind::Malloc) => {
                    // SAFETY: any size may be asked for.
                    let block = self.timed(MALLOC, || unsafe { libc::malloc(size) });
                    self.born(step.object, block, size, 0);
                }
                Some(Kind::Free) => {
                    let block = self.block(step);
                    if block != REFUSED {
                        // SAFETY: the plan frees each block once, after it was made (`trace::hkt::Order`).
                        self.timed(FREE, || unsafe { libc::free(block as *mut _) });
                    }
                    self.live = self.live.wrapping_sub(size as u64);
                }
                Some(Kind::Calloc) => {
                    // SAFETY: as for malloc.
                    let block = self.timed(MALLOC, || unsafe { libc::calloc(1, size) });
                    self.born(step.object, block, size, 0);
                }
                Some(Kind::Aligned) => {
                    let align = 1usize << step.align();
                    // SAFETY: as for malloc; memalign takes any power of two.
                    let block = self.timed(MALLOC, || unsafe { libc::memalign(align, size) });
                    self.born(step.object, block, size, 0);
                }
                Some(Kind::Realloc) => {
                    let old_size = steps.next().map_or(0, |more| more.number() as usize);
                    self.realloc(step, size, old_size);
                }
                Some(Kind::Begin) => stage.wait_for_segment(step.object),
                Some(Kind::End) => {
                    stage.end_segment(step.object, self.live);
                    self.live = 0;
                }
                Some(Kind::Spawn) => self.spawn(step),
                Some(Kind::Ended) => {
                    // Release, pairs with the Acquire in `spawn`: who starts a thread for it comes after it.
                    stage.ended.fetch_add(1, Ordering::Release);
                }
                Some(Kind::Until) => wait_until(stage, step.number()),
                Some(Kind::More) | None => fail("the plan is damaged"),
            }
        }
    }

    #[inline(always)]
    fn timed<T>(&self, call: usize, work: impl FnOnce() -> T) -> T {
        if !TIMED {
            return work();
        }
        let begin = ticks::before();
        let result = work();
        let passed = ticks::after().saturating_sub(begin).saturating_sub(self.cast.overhead);
        if let Some(row) = self.cast.latencies.and_then(|rows| rows.row(self.thread)) {
            // SAFETY: this thread's row, and nobody else looks at it before the end.
            let row = unsafe { &mut *row };
            let count = row.counts.get_mut(call).and_then(|counts| counts.get_mut(histogram::bucket(passed)));
            count.into_iter().for_each(|count| *count += 1);
            row.longest.get_mut(call).into_iter().for_each(|longest| *longest = passed.max(*longest));
        }
        result
    }

    fn slot(&self, object: u32) -> &'static AtomicU64 {
        self.cast.stage.blocks.get(object as usize).unwrap_or_else(|| fail("the plan is damaged"))
    }

    /// Where a block is; another thread's is waited for.
    #[inline(always)]
    fn block(&self, step: Step) -> u64 {
        let slot = self.slot(step.object);
        // Acquire, pairs with the Release in `born`: what its maker wrote to the block comes before its end.
        let block = slot.load(Ordering::Acquire);
        if block != 0 {
            return block;
        }
        if !step.is_remote() {
            fail("a block ends that this thread has not made");
        }
        await_value(|| slot.load(Ordering::Acquire), |block| *block != 0)
    }

    /// The block is written to, from `kept` on, and shown to all threads.
    #[inline(always)]
    fn born(&mut self, object: u32, block: *mut libc::c_void, size: usize, kept: usize) {
        self.live = self.live.wrapping_add(size as u64);
        let block = if block.is_null() {
            self.cast.stage.refused.fetch_add(1, Ordering::Relaxed);
            REFUSED
        } else {
            // SAFETY: the block has that many bytes.
            unsafe { touch(block.cast(), size, kept, self.cast.stage.touch) };
            block as u64
        };
        self.slot(object).store(block, Ordering::Release);
    }

    fn realloc(&mut self, step: Step, size: usize, old_size: usize) {
        let old = self.block(step);
        self.live = self.live.wrapping_sub(old_size as u64);
        let old = if old == REFUSED { 0 } else { old };
        // realloc(p, 0) frees on some, and gives a block on others: the trace says that there was one.
        // SAFETY: as for free.
        let block = self.timed(REALLOC, || unsafe { libc::realloc(old as *mut _, size.max(1)) });
        self.born(step.other, block, size, old_size.min(size));
    }

    /// Starts a thread, when so many have ended as had in the trace.
    fn spawn(&self, step: Step) {
        let ended = &self.cast.stage.ended;
        await_value(|| ended.load(Ordering::Acquire), |ended| *ended >= step.other);
        let thread = step.object as usize;
        let Some(entrance) = self.entrances.row(thread) else { fail("the plan is damaged") };
        // SAFETY: that thread's row, which it reads once it runs.
        unsafe { entrance.write(Entrance { cast: self.cast, thread, entrances: self.entrances }) };
        let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
        // SAFETY: it is writable, and initialised by this.
        unsafe { libc::pthread_attr_init(attributes.as_mut_ptr()) };
        // SAFETY: initialised above, here and below.
        unsafe { libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), STACK) };
        // SAFETY: as above.
        unsafe { libc::pthread_attr_setdetachstate(attributes.as_mut_ptr(), libc::PTHREAD_CREATE_DETACHED) };
        let mut number = 0;
        // SAFETY: as above, and `enter` takes an entrance.
        let status = unsafe { libc::pthread_create(&mut number, attributes.as_ptr(), enter, entrance.cast()) };
        if status != 0 {
            fail("a thread could not be started");
        }
    }
}

/// Spins, then lets others run.
#[cold]
fn await_value<T>(load: impl Fn() -> T, is_it: impl Fn(&T) -> bool) -> T {
    for look in 0u32.. {
        let value = load();
        if is_it(&value) {
            return value;
        }
        match look {
            0..200 => std::hint::spin_loop(),
            200..400 => std::thread::yield_now(),
            _ => sleep(20_000),
        }
    }
    load()
}

fn wait_until(stage: &Stage, at: u64) {
    loop {
        let left = at.saturating_sub(stage.since_start());
        match left {
            0 => return,
            1..60_000 => std::hint::spin_loop(),
            _ => sleep(left - 50_000),
        }
    }
}

fn sleep(ns: u64) {
    let time = libc::timespec { tv_sec: (ns / 1_000_000_000) as _, tv_nsec: (ns % 1_000_000_000) as _ };
    // SAFETY: `time` is readable, and a null remainder asks for none.
    unsafe { libc::nanosleep(&time, ptr::null_mut()) };
}

/// Writes to a block as a program would.
///
/// # Safety
/// It has `size` bytes, all this thread's.
#[inline(always)]
unsafe fn touch(block: *mut u8, size: usize, kept: usize, how: Touch) {
    const PAGE: usize = 4096;
    if size == 0 {
        return;
    }
    match how {
        Touch::All => {
            // SAFETY: the caller's.
            unsafe { ptr::write_bytes(block.add(kept), 0xa5, size - kept) };
        }
        Touch::Pages if size > PAGE => {
            // What was kept has been written to.
            let begin = kept & !(PAGE - 1);
            for offset in (begin..size).step_by(PAGE).chain([size - 1]) {
                // SAFETY: within the block.
                unsafe { block.add(offset).write_volatile(0xa5) };
            }
        }
        Touch::Pages => {
            // It may lie over the edge of a page.
            for offset in [0, size - 1] {
                // SAFETY: within the block.
                unsafe { block.add(offset).write_volatile(0xa5) };
            }
        }
        Touch::First => {
            // SAFETY: within the block.
            unsafe { block.write_volatile(0xa5) };
        }
    }
}

/// Ends the process, with a word on stderr that the command shows.
#[cold]
pub(super) fn fail(why: &str) -> ! {
    // SAFETY: bytes that are there.
    unsafe { libc::write(2, why.as_ptr().cast(), why.len()) };
    // SAFETY: ends the process at once.
    unsafe { libc::_exit(3) }
}
