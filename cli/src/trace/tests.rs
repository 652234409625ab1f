//! Raw files made here, by the description of them, and what must come of them: whole, cut off anywhere, and damaged anywhere.

use std::path::Path;

use super::columns;
use super::event::{About, Event, Op, Totals};
use super::file::{Trace, convert};
use super::hkt::{Reader, Writer};
use super::merge::Merge;
use super::raw::{self, Raw};
use super::varint::{put, zigzag};
use crate::error::Result;

const CHUNK: usize = 4096;

/// Writes raw files as the library does.
pub(super) struct Recorder {
    pub(super) bytes: Vec<u8>,
}

/// A thread's chunk.
pub(super) struct Chunk {
    bytes: Vec<u8>,
    ticks: u64,
    address: u64,
}

impl Recorder {
    pub(super) fn new() -> Recorder {
        let mut bytes = Vec::from(raw::MAGIC);
        bytes.extend([1, CHUNK as u32].iter().flat_map(|word| word.to_le_bytes()));
        let words = [77, 1_000_000_000, 1000, 5_000_000_000, 1000, 5_000_000_000, 0, 0u64];
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend(b"prog\0an argument\0");
        bytes.resize(CHUNK, 0);
        Recorder { bytes }
    }

    pub(super) fn add(&mut self, mut chunk: Chunk) {
        chunk.bytes.resize(CHUNK, 0);
        self.bytes.append(&mut chunk.bytes);
    }
}

impl Chunk {
    pub(super) fn new(thread: u32, ticks: u64) -> Chunk {
        let address = 0x7f00_0000_0000;
        let mut bytes = Vec::from(raw::CHUNK_MAGIC);
        bytes.extend(thread.to_le_bytes());
        bytes.extend(ticks.to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend(u64::to_le_bytes(address));
        Chunk { bytes, ticks, address }
    }

    fn begin(&mut self, code: u8, ticks: u64) {
        self.bytes.push(code);
        put(&mut self.bytes, ticks - self.ticks);
        self.ticks = ticks;
    }

    fn address(&mut self, address: u64, unit: i64) {
        let delta = address.wrapping_sub(self.address) as i64;
        assert_eq!(delta % unit, 0);
        put(&mut self.bytes, zigzag(delta / unit));
        self.address = address;
    }

    pub(super) fn malloc(&mut self, ticks: u64, address: u64, size: u64) {
        self.begin(1, ticks);
        put(&mut self.bytes, size);
        self.address(address, 16);
    }

    pub(super) fn aligned(&mut self, ticks: u64, address: u64, size: u64, align: u64) {
        let log2 = align.trailing_zeros();
        self.begin(5 | (log2.min(15) as u8) << 4, ticks);
        put(&mut self.bytes, size);
        if log2 >= 15 {
            put(&mut self.bytes, u64::from(log2));
        }
        self.address(address, 1);
    }

    pub(super) fn free(&mut self, ticks: u64, address: u64) {
        self.begin(3, ticks);
        self.address(address, 16);
    }

    pub(super) fn realloc(&mut self, ticks: u64, old: u64, new: u64, size: u64) {
        self.begin(4 | 0x10, ticks);
        self.address(old, 1);
        put(&mut self.bytes, size);
        self.address(new, 1);
    }

    pub(super) fn end(&mut self, ticks: u64) {
        self.begin(7, ticks);
    }

    pub(super) fn thread(&mut self, ticks: u64, number: u32) {
        self.begin(10, ticks);
        put(&mut self.bytes, u64::from(number));
    }
}

const A: u64 = 0x7f00_0000_1000;
const B: u64 = 0x7f00_0000_2000;
const C: u64 = 0x7f00_0000_3000;

/// Two threads; B is handed from the first to the second, A's address goes to and fro.
fn two_threads() -> Recorder {
    let mut recorder = Recorder::new();
    let mut one = Chunk::new(1, 1000);
    one.malloc(1100, A, 24);
    one.malloc(1200, B, 1 << 40);
    one.realloc(1250, A, C, 100);
    one.malloc(1500, A, 8);
    let mut two = Chunk::new(2, 1290);
    two.aligned(1300, A, 64, 1 << 16);
    two.free(1350, B);
    two.free(1400, A);
    two.end(1410);
    two.thread(1420, 7);
    two.malloc(1600, B, 5);
    recorder.add(two);
    recorder.add(one);
    recorder
}

fn events(bytes: &[u8]) -> Result<(Vec<Event>, Totals)> {
    let mut merge = Merge::new(Raw::open(bytes)?);
    let mut events = Vec::new();
    while let Some(event) = merge.next()? {
        events.push(event);
    }
    Ok((events, merge.totals))
}

fn ops(bytes: &[u8]) -> Vec<(u32, Op)> {
    events(bytes).unwrap().0.iter().map(|event| (event.thread, event.op)).collect()
}

fn malloc(object: u64, size: u64) -> Op {
    Op::Allocate { object, size, align: 0, zeroed: false }
}

#[test]
fn threads_are_merged_and_blocks_numbered() {
    let bytes = two_threads().bytes;
    let expected = [
        (0, malloc(0, 24)),
        (0, malloc(1, 1 << 40)),
        (0, Op::Reallocate { object: 0, new: 2, size: 100 }),
        (1, Op::Allocate { object: 3, size: 64, align: 16, zeroed: false }),
        (1, Op::Free { object: 1 }),
        (1, Op::Free { object: 3 }),
        (1, Op::ThreadEnd),
        (0, malloc(4, 8)),
        (2, malloc(5, 5)),
    ];
    assert_eq!(ops(&bytes), expected);
    let (events, totals) = events(&bytes).unwrap();
    assert_eq!(events.iter().map(|event| event.at).collect::<Vec<_>>(), [100, 200, 250, 300, 350, 400, 410, 500, 600]);
    assert_eq!(totals, Totals { events: 9, objects: 6, threads: 3, duration_ns: 600, ..Totals::default() });
    let raw = Raw::open(&bytes[..]).unwrap();
    assert_eq!(raw.about.command, ["prog", "an argument"]);
    assert!(raw.about.timed && raw.about.pid == 77);
}

#[test]
fn a_realloc_waits_for_the_block_it_came_to() {
    let mut recorder = Recorder::new();
    let mut one = Chunk::new(1, 1000);
    one.malloc(1100, A, 24);
    one.realloc(1200, A, B, 1000);
    one.malloc(1300, A, 16);
    let mut two = Chunk::new(2, 1000);
    two.malloc(1150, B, 32);
    two.free(1250, B);
    recorder.add(one);
    recorder.add(two);
    let expected = [
        (0, malloc(0, 24)),
        (1, malloc(1, 32)),
        (1, Op::Free { object: 1 }),
        (0, Op::Reallocate { object: 0, new: 2, size: 1000 }),
        (0, malloc(3, 16)),
    ];
    assert_eq!(ops(&recorder.bytes), expected);
}

#[test]
fn what_is_missing_is_made_up_for_and_counted() {
    let mut recorder = Recorder::new();
    let mut one = Chunk::new(1, 1000);
    one.malloc(1100, A, 24);
    one.malloc(1200, A, 32);
    one.free(1300, B);
    one.realloc(1400, C, C, 48);
    recorder.add(one);
    let expected = [(0, Op::Free { object: 0 }), (0, malloc(1, 32)), (0, malloc(2, 48))];
    assert_eq!(ops(&recorder.bytes)[1..], expected);
    let totals = events(&recorder.bytes).unwrap().1;
    assert_eq!((totals.lost_frees, totals.unknown_frees), (1, 2));
}

/// Many events over many chunks of three threads, some blocks handed over.
pub(super) fn many() -> Vec<u8> {
    let mut recorder = Recorder::new();
    let mut chunks: Vec<Chunk> = (1..4).map(|thread| Chunk::new(thread, 1000)).collect();
    let mut seed = 1u64;
    let mut live = Vec::new();
    for step in 0..5000u64 {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let (random, ticks, thread) = ((seed >> 33) as usize, 1000 + step * 10, (seed >> 60) as usize % 3);
        if chunks[thread].bytes.len() > CHUNK - 100 {
            let full = std::mem::replace(&mut chunks[thread], Chunk::new(thread as u32 + 1, ticks));
            recorder.add(full);
        }
        if live.len() < 20 || random % 2 == 0 {
            live.push(A + step * 64);
            chunks[thread].malloc(ticks, A + step * 64, (random % 1000) as u64);
        } else {
            let address = live.swap_remove(random % live.len());
            chunks[thread].free(ticks, address);
        }
    }
    chunks.into_iter().for_each(|chunk| recorder.add(chunk));
    recorder.bytes
}

fn kept(events: &[Event]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &About::default()).unwrap();
    events.iter().for_each(|&event| writer.event(event).unwrap());
    writer.finish(Totals::default()).unwrap().0
}

fn read_kept(bytes: &[u8]) -> Result<(Vec<Event>, Totals)> {
    let mut reader = Reader::new(bytes)?;
    let mut events = Vec::new();
    while let Some(event) = reader.next()? {
        events.push(event);
    }
    Ok((events, reader.totals))
}

#[test]
fn what_was_written_is_read() {
    let (events, _) = events(&many()).unwrap();
    assert!(events.len() == 5000);
    let bytes = kept(&events);
    assert_eq!(read_kept(&bytes).unwrap().0, events);
    assert!(bytes.len() < 20_000, "{}", bytes.len());
}

#[test]
fn more_events_than_a_chunk_has() {
    let events: Vec<Event> = (0..columns::EVENTS as u64 * 2 + 5)
        .map(|number| {
            let op = if number % 2 == 0 { malloc(number / 2, number) } else { Op::Free { object: number / 2 } };
            Event { at: number, thread: 0, op }
        })
        .collect();
    assert_eq!(read_kept(&kept(&events)).unwrap().0, events);
}

#[test]
fn files_that_end_anywhere_are_read_up_to_there() {
    let small = two_threads().bytes;
    let bytes = kept(&events(&small).unwrap().0);
    let all = read_kept(&bytes).unwrap().0;
    for length in 0..bytes.len() {
        match read_kept(&bytes[..length]) {
            Ok((some, totals)) => {
                assert!(some.len() <= all.len() && some[..] == all[..some.len()]);
                assert!(totals.notes[0].contains("cut off at offset"), "{length}");
            }
            Err(error) => assert!(length < 150, "{length}: {}", error.message),
        }
    }
    for length in (0..small.len()).step_by(7) {
        let Ok((some, _)) = events(&small[..length]) else {
            assert!(length < 80);
            continue;
        };
        assert!(some.len() <= 9 && (length < CHUNK || !some.is_empty() || length < CHUNK + 60), "{length}");
    }
}

#[test]
fn damage_anywhere_is_an_error_with_a_place_or_a_note() {
    let small = two_threads().bytes;
    let bytes = kept(&events(&small).unwrap().0);
    for at in 0..bytes.len() {
        for flip in [1, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            let error = match read_kept(&damaged) {
                Err(error) => error.message,
                Ok((_, totals)) => totals.notes.concat(),
            };
            let told = error.contains("offset") || error.contains("not a trace") || error.contains("of version");
            assert!(told, "{at}: {error}");
        }
    }
    for at in (0..200).chain(CHUNK..CHUNK + 80).chain(2 * CHUNK..2 * CHUNK + 80) {
        for flip in [1, 0x10, 0x80, 0xff] {
            let mut damaged = small.clone();
            damaged[at] ^= flip;
            check_order(&damaged);
        }
    }
}

/// Whatever a raw file holds, what comes of it is in order.
fn check_order(bytes: &[u8]) {
    if let Ok((events, _)) = events(bytes) {
        super::hkt::Order::default().check(&events).unwrap();
        assert_eq!(read_kept(&kept(&events)).unwrap().0, events);
    }
}

#[test]
fn noise_is_no_trace() {
    let mut seed = 7u64;
    for length in [0, 1, 7, 8, 30, 79, 200, 9000, 30_000] {
        let mut bytes = two_threads().bytes;
        bytes.resize(length.max(100), 0);
        for byte in bytes.iter_mut().skip(88).chain([]) {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            *byte = (seed >> 40) as u8;
        }
        // Heads of chunks, and noise in them.
        for at in (CHUNK..bytes.len().saturating_sub(8)).step_by(CHUNK) {
            bytes[at..at + 8].copy_from_slice(b"HKTC\x01\0\0\0");
        }
        check_order(&bytes);
        assert!(read_kept(&bytes[8..]).is_err());
    }
}

#[test]
fn a_raw_file_is_converted_and_both_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let (raw, kept) = (folder.path().join("raw"), folder.path().join("kept.hkt"));
    std::fs::write(&raw, many()).unwrap();
    let totals = convert(&raw, &kept).unwrap();
    assert_eq!((totals.events, totals.threads), (5000, 3));
    let all = |path: &Path| {
        let mut trace = Trace::open(path).unwrap();
        let events: Vec<Event> = std::iter::from_fn(|| trace.next().unwrap()).collect();
        (events, trace.about().clone(), trace.totals().clone())
    };
    assert_eq!(all(&raw), all(&kept));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    std::fs::write(&raw, "no trace").unwrap();
    let error = convert(&raw, &kept).unwrap_err();
    assert!(error.message.contains("raw: not a trace"), "{}", error.message);
}
