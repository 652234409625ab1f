//! All that threads may do at once, for a sanitizer to watch: blocks of every kind freed by whoever comes to them, threads that end, forks, and
//! beside them statistics, trims, walks, options, profiles and arenas, until the process ends in the midst of it.
//!
//! `make tsan` runs it; elsewhere it is empty, for it proves nothing without the sanitizer.
#![cfg(hakmem_races)]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "tests may allocate and panic"
)]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ffi::{c_char, c_int, c_void};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hakmem::HakMem;

unsafe extern "C" {
    fn hak_stats_text(buffer: *mut c_char, size: usize) -> usize;
    fn hak_stats_json(buffer: *mut c_char, size: usize) -> usize;
    safe fn hak_trim() -> usize;
    safe fn hak_thread_flush();
    safe fn hak_is_ours(block: *const c_void) -> c_int;
    fn hak_option_set(name: *const c_char, value: *const c_char) -> c_int;
    safe fn hak_prof_start() -> c_int;
    safe fn hak_prof_stop();
    fn hak_prof_dump(path: *const c_char) -> c_int;
    fn hak_heap_walk(visit: Option<Visit>, arg: *mut c_void) -> c_int;
    fn hak_arena_new(options: *const c_void) -> *mut c_void;
    fn hak_arena_malloc(arena: *mut c_void, size: usize) -> *mut c_void;
    fn hak_arena_destroy(arena: *mut c_void);
    safe fn hak_arena_of(block: *const c_void) -> *mut c_void;
    fn pthread_mutex_lock(mutex: *mut Lock) -> c_int;
    fn pthread_mutex_unlock(mutex: *mut Lock) -> c_int;
    safe fn fork() -> c_int;
    safe fn _exit(status: c_int) -> !;
    fn waitpid(process: c_int, status: *mut c_int, options: c_int) -> c_int;
}

type Visit = unsafe extern "C" fn(class: *const c_void, arg: *mut c_void) -> c_int;

const WORKERS: u64 = 3;
const SECONDS: u64 = 4;

#[derive(Clone, Copy)]
struct Block {
    at: *mut u8,
    layout: Layout,
}

// SAFETY: whoever has the value owns the block.
unsafe impl Send for Block {}

/// libc's mutex, unlocked: the sanitizer knows it. The standard library's it does not see, for that is not compiled with it.
#[repr(C, align(8))]
struct Lock([u8; 40]);

/// Blocks that any thread may take and free.
struct Shared(UnsafeCell<(Lock, Vec<Block>)>);

// SAFETY: locked by `with`.
unsafe impl Sync for Shared {}

static SHARED: Shared = Shared(UnsafeCell::new((Lock([0; 40]), Vec::new())));

impl Shared {
    fn with<T>(&self, work: impl FnOnce(&mut Vec<Block>) -> T) -> T {
        // SAFETY: a mutex for the process's life.
        unsafe { pthread_mutex_lock(&raw mut (*self.0.get()).0) };
        // SAFETY: locked.
        let done = work(unsafe { &mut (*self.0.get()).1 });
        // SAFETY: ours.
        unsafe { pthread_mutex_unlock(&raw mut (*self.0.get()).0) };
        done
    }
}

static DONE: AtomicBool = AtomicBool::new(false);

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    /// Mostly small, some of every class, few above a MiB.
    fn size(&mut self) -> usize {
        let most = [512, 512, 512, 4096, 4096, 64 << 10, 1 << 20, 3 << 20][self.below(8) as usize];
        1 + self.below(most) as usize
    }
}

impl Block {
    fn new(size: usize) -> Block {
        let layout = Layout::from_size_align(size, 16).unwrap();
        // SAFETY: the size is not zero.
        let at = unsafe { HakMem.alloc(layout) };
        assert!(!at.is_null());
        let block = Block { at, layout };
        block.touch();
        block
    }

    /// Writes to it as a program would: what the allocator does not order, the sanitizer reports here.
    fn touch(&self) {
        for offset in [0, self.layout.size() / 2, self.layout.size() - 1] {
            // SAFETY: within the block.
            unsafe { self.at.add(offset).write(offset as u8) };
        }
    }

    fn resize(self, size: usize) -> Block {
        // SAFETY: owned, allocated with this layout.
        let at = unsafe { HakMem.realloc(self.at, self.layout, size) };
        assert!(!at.is_null());
        let block = Block { at, layout: Layout::from_size_align(size, 16).unwrap() };
        block.touch();
        block
    }

    fn free(self) {
        self.touch();
        // SAFETY: owned, allocated with this layout.
        unsafe { HakMem.dealloc(self.at, self.layout) };
    }
}

/// Works until it is done, or for so many steps.
fn work(seed: u64, steps: u64) {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut own = Vec::new();
    for step in 0..steps {
        if DONE.load(Ordering::Relaxed) {
            break;
        }
        match random.below(8) {
            0..=2 => own.push(Block::new(random.size())),
            3 | 4 => drop(own.pop().map(Block::free)),
            5 => {
                if let Some(block) = own.pop() {
                    own.push(block.resize(random.size()));
                }
            }
            6 => SHARED.with(|shared| shared.extend(own.pop())),
            _ => {
                let taken = SHARED.with(Vec::pop);
                if let Some(block) = taken {
                    block.free();
                }
            }
        }
        if own.len() > 200 || step % 5000 == 4999 {
            own.drain(..).for_each(Block::free);
        }
    }
    own.into_iter().for_each(Block::free);
}

/// Short threads, whose heaps are left and adopted.
fn churn() {
    let mut seed = 100;
    while !DONE.load(Ordering::Relaxed) {
        seed += 1;
        thread::spawn(move || work(seed, 300)).join().unwrap();
    }
}

unsafe extern "C" fn visit(_: *const c_void, _: *mut c_void) -> c_int {
    0
}

/// Everything that looks at other threads' heaps, or changes what they go by.
fn look() {
    let mut text = vec![0u8; 1 << 16];
    let mut round = 0;
    while !DONE.load(Ordering::Relaxed) {
        round += 1;
        // SAFETY: room of the size named.
        unsafe { hak_stats_text(text.as_mut_ptr().cast(), text.len()) };
        // SAFETY: as above.
        unsafe { hak_stats_json(text.as_mut_ptr().cast(), text.len()) };
        hak_trim();
        hak_thread_flush();
        // SAFETY: a function of that kind.
        unsafe { hak_heap_walk(Some(visit), std::ptr::null_mut()) };
        let decay = if round % 2 == 0 { c"10" } else { c"1000" };
        // SAFETY: strings.
        unsafe { hak_option_set(c"HAKMEM_DECAY_MS".as_ptr(), decay.as_ptr()) };
        let block = Block::new(100);
        assert_eq!(hak_is_ours(block.at.cast()), 1);
        block.free();
        if round % 4 == 0 && hak_prof_start() == 0 {
            thread::sleep(Duration::from_millis(20));
            // SAFETY: a string.
            unsafe { hak_prof_dump(concat!(env!("CARGO_TARGET_TMPDIR"), "/races.%p\0").as_ptr().cast()) };
            hak_prof_stop();
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// An arena, whose blocks the others free, and whose rest goes with it.
fn arenas() {
    let mut random = Random(77);
    while !DONE.load(Ordering::Relaxed) {
        // SAFETY: null: the usual kind.
        let arena = unsafe { hak_arena_new(std::ptr::null()) };
        assert!(!arena.is_null());
        for _ in 0..200 {
            let size = 1 + random.below(3000) as usize;
            // SAFETY: ours.
            let at = unsafe { hak_arena_malloc(arena, size) };
            assert!(!at.is_null() && hak_arena_of(at) == arena);
            let block = Block { at: at.cast(), layout: Layout::from_size_align(size, 16).unwrap() };
            block.touch();
            if random.below(4) == 0 {
                thread::scope(|scope| drop(scope.spawn(move || block.free())));
            }
        }
        // SAFETY: no other thread has it.
        unsafe { hak_arena_destroy(arena) };
    }
}

/// Children that go on with what they find.
fn forks() {
    while !DONE.load(Ordering::Relaxed) {
        let child = fork();
        if child == 0 {
            for size in [10, 1000, 100_000, 2 << 20] {
                Block::new(size).free();
            }
            hak_trim();
            _exit(0);
        }
        let mut status = 0;
        // SAFETY: an out-parameter.
        unsafe { waitpid(child, &mut status, 0) };
        assert_eq!(status, 0, "a child of fork");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn nothing_races() {
    const HERE: &str = "RACES_HERE";
    if std::env::var_os(HERE).is_some() {
        let jobs: [fn(); 4] = [churn, look, arenas, forks];
        jobs.into_iter().for_each(|job| drop(thread::spawn(job)));
        (1..=WORKERS).for_each(|seed| drop(thread::spawn(move || work(seed, u64::MAX))));
        let end = Instant::now() + Duration::from_secs(SECONDS);
        thread::sleep(end - Instant::now());
        // Half of the modes end while all are at work.
        if std::env::var_os("HAKMEM_BACKGROUND").is_none() {
            DONE.store(true, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(300));
        }
        std::process::exit(0);
    }
    let profile = concat!(env!("CARGO_TARGET_TMPDIR"), "/races.%p.%n");
    let record = concat!(env!("CARGO_TARGET_TMPDIR"), "/races.hkt");
    let modes: [&[(&str, &str)]; 9] = [
        &[],
        &[("HAKMEM_BACKGROUND", "1"), ("HAKMEM_STATS", "json:/dev/null")],
        &[("HAKMEM_TINY_HEAP_V2", "0")],
        &[("HAKMEM_HARDENED", "1")],
        &[("HAKMEM_HARDENED", "light")],
        &[("HAKMEM_GUARD_RATE", "20"), ("HAKMEM_TRACE", "1")],
        &[
            ("HAKMEM_PROF", "1"),
            ("HAKMEM_PROF_RATE", "4096"),
            ("HAKMEM_BACKGROUND", "1"),
            ("HAKMEM_PROF_FILE", "/dev/null"),
        ],
        &[("HAKMEM_RECORD", record)],
        &[("HAKMEM_SOFT_LIMIT", "64m"), ("HAKMEM_REMOTE_NODES", "8")],
    ];
    for mode in modes {
        let mut test = Command::new(std::env::current_exe().unwrap());
        test.args(["--exact", "nothing_races"])
            .env(HERE, "1")
            .env("HAKMEM_PROF_FILE", profile)
            .envs(mode.iter().copied());
        let output = test.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && !said.contains("WARNING: ThreadSanitizer"),
            "{mode:?}: {}\n{}\n{said}",
            output.status,
            String::from_utf8_lossy(&output.stdout)
        );
    }
}
