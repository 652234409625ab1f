//! Work for tokio, rayon, serde_json and regex on HAKMEM, each checked against what must come out. Then whose the blocks
//! are: Rust's are HAKMEM's; C's are too with feature `override`, and the system's without.

mod allocators;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use rayon::prelude::*;
use regex::Regex;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

#[global_allocator]
static GLOBAL: hakmem::HakMem = hakmem::HakMem;

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Record {
    id: u64,
    name: String,
    tags: Vec<String>,
    nested: BTreeMap<String, Vec<u64>>,
}

fn record(id: u64) -> Record {
    Record {
        id,
        name: format!("record-{id:05}"),
        tags: (0..id % 7).map(|tag| format!("tag{tag}")).collect(),
        nested: (0..id % 5).map(|key| (key.to_string(), (0..id % 300).collect())).collect(),
    }
}

/// Each record to JSON and back in whichever thread takes it: built in one, dropped in another.
fn parse_in_parallel() {
    let texts: Vec<String> =
        (0..20_000).into_par_iter().map(|id| serde_json::to_string(&record(id)).unwrap()).collect();
    let records: Vec<Record> = texts.par_iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    assert!(records.par_iter().enumerate().all(|(id, read)| *read == record(id as u64)));
    let mut shuffled = records;
    shuffled.par_sort_by_key(|record| (record.id % 97, record.id));
    assert_eq!(shuffled.iter().map(|record| record.id).sum::<u64>(), 19_999 * 20_000 / 2);
}

fn search() {
    let pattern = Regex::new(r"record-(\d{3})(\d{2})\b").unwrap();
    let text: String = (0..5_000).map(|id| record(id).name + " ").collect();
    let found: u64 = pattern.captures_iter(&text).map(|found| found[2].parse::<u64>().unwrap()).sum();
    assert_eq!(found, 50 * (0..100).sum::<u64>());
    assert_eq!(pattern.replace_all(&text, "$1").len(), 4 * 5_000);
}

/// Tasks that send each other strings, over more threads than there are cores.
fn pass_around() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap();
    let total = runtime.block_on(async {
        let (send, mut receive) = mpsc::channel::<String>(64);
        for task in 0..50_usize {
            let send = send.clone();
            tokio::spawn(async move {
                for length in 0..200 {
                    send.send("x".repeat(length * (1 + task % 40))).await.unwrap();
                    if length % 50 == 0 {
                        tokio::time::sleep(Duration::from_micros(100)).await;
                    }
                }
            });
        }
        drop(send);
        let mut total = 0;
        while let Some(text) = receive.recv().await {
            total += text.len();
        }
        total
    });
    assert_eq!(total, (0..50).map(|task| 19_900 * (1 + task % 40)).sum::<usize>());
}

/// Each thread dies with blocks that others free.
fn outlive_threads() {
    for _ in 0..50 {
        let parts: Vec<Vec<Box<[u8]>>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (1..5)
                .map(|thread| scope.spawn(move || (1..500).map(|n| vec![thread; n * 8].into()).collect()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(
            (1..)
                .zip(&parts)
                .all(|(thread, part)| part.iter().flat_map(|block| &block[..]).all(|byte| *byte == thread))
        );
    }
}

/// What fork handlers of a library may do: allocate, and have a thread do so.
extern "C" fn handler() {
    let work = || {
        (1..300_usize)
            .map(|n| vec![n as u8; n * 97])
            .filter(|block| block.iter().all(|&byte| byte == block.len().div_euclid(97) as u8))
            .count()
    };
    assert_eq!(work(), 299);
    assert_eq!(std::thread::spawn(work).join().unwrap(), 299);
}

extern "C" fn register() {
    // SAFETY: the handler is the program's.
    unsafe { libc::pthread_atfork(Some(handler), Some(handler), Some(handler)) };
}

/// Before every constructor, so that these are registered before the allocator's: their prepare runs after its.
#[used]
#[unsafe(link_section = ".preinit_array")]
static EARLY: extern "C" fn() = register;

/// After a fork the child goes on allocating, its fork handlers having run.
fn fork() {
    for _ in 0..20 {
        // SAFETY: no other thread runs Rust code that the child relies on.
        match unsafe { libc::fork() } {
            0 => {
                let sum: usize = (0..1_000).map(|n| vec![1_u8; n].len()).sum();
                // SAFETY: ends the child.
                unsafe { libc::_exit(if sum == 499_500 { 0 } else { 1 }) }
            }
            child => {
                let mut status = -1;
                // SAFETY: waits for that child.
                assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
                assert_eq!(status, 0);
            }
        }
    }
}

/// What the library calls itself. The symbol is in the program only with feature `override`.
#[cfg(feature = "override")]
fn version() -> &'static str {
    unsafe extern "C" {
        safe fn hak_version() -> *const libc::c_char;
    }
    // SAFETY: a constant string.
    unsafe { std::ffi::CStr::from_ptr(hak_version()) }.to_str().unwrap()
}
#[cfg(not(feature = "override"))]
fn version() -> &'static str {
    "none"
}

/// The size that the process's own malloc says a block has.
fn c_block(bytes: usize) -> usize {
    // SAFETY: a block that C gave and takes back.
    unsafe {
        let block = libc::malloc(bytes);
        let usable = libc::malloc_usable_size(block);
        libc::free(block);
        usable
    }
}

fn main() -> ExitCode {
    allocators::all();
    if std::env::args().nth(1).is_some_and(|only| only == "allocators") {
        return ExitCode::SUCCESS;
    }
    parse_in_parallel();
    search();
    pass_around();
    outlive_threads();
    // Nor does a fork wait for what handlers that run before the allocator's, and after, wait for.
    register();
    fork();

    // 1000 bytes: a class of 1024 here; glibc's chunk of 1008 holds them.
    let block = c_block(1000);
    println!("C: served by {}, malloc(1000) of {block}", version());
    let held: Vec<Vec<u8>> = (0..1000).map(|_| vec![7; 10_000]).collect();
    println!("Rust: {} bytes held", held.iter().map(Vec::len).sum::<usize>());
    // Kept to the end: the statistics at exit show them.
    std::mem::forget(held);

    let right =
        if cfg!(feature = "override") { version().starts_with("hakmem ") && block == 1024 } else { block == 1000 };
    ExitCode::from(!right as u8)
}
