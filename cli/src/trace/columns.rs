//! A chunk's events as columns: kinds, threads, times, sizes, objects, alignments, each a run of numbers that are like each other, which
//! compresses better than rows do. A chunk begins from nothing, so that each can be read by itself.

use super::event::{Event, Op};
use super::varint::{put, take};

/// Events of a chunk at most; so a reader's memory is bounded, whatever a file says.
pub(crate) const EVENTS: usize = 1 << 16;
/// A chunk's bytes at most before compression.
pub(crate) const BYTES: usize = EVENTS * 48 + 128;

const MALLOC: u8 = 1;
const CALLOC: u8 = 2;
const FREE: u8 = 3;
const REALLOC: u8 = 4;
const ALIGNED: u8 = 5;
const THREAD_END: u8 = 7;
const FORK: u8 = 8;
const FAILED: u8 = 9;
/// Beside a kind: another thread than the event before, whose number is in the column of threads.
const OTHER_THREAD: u8 = 0x10;

#[derive(Default)]
struct Columns {
    kinds: Vec<u8>,
    threads: Vec<u8>,
    times: Vec<u8>,
    sizes: Vec<u8>,
    objects: Vec<u8>,
    alignments: Vec<u8>,
}

/// `born`: the number of the next object, as it was before these events.
pub(crate) fn encode(events: &[Event], mut born: u64) -> Vec<u8> {
    let mut columns = Columns::default();
    let first = events.first().map_or(0, |event| event.at);
    let (mut thread, mut at, born_before) = (0, first, born);
    for event in events {
        let mut kind = match event.op {
            Op::Allocate { size, align, zeroed, .. } => {
                put(&mut columns.sizes, size);
                born += 1;
                match (align, zeroed) {
                    (0, false) => MALLOC,
                    (0, true) => CALLOC,
                    _ => {
                        columns.alignments.push(align);
                        ALIGNED
                    }
                }
            }
            Op::Free { object } => {
                put(&mut columns.objects, born - object);
                FREE
            }
            Op::Reallocate { object, size, .. } => {
                put(&mut columns.objects, born - object);
                put(&mut columns.sizes, size);
                born += 1;
                REALLOC
            }
            Op::Failed { size } => {
                put(&mut columns.sizes, size);
                FAILED
            }
            Op::ThreadEnd => THREAD_END,
            Op::Fork => FORK,
        };
        if event.thread != thread {
            thread = event.thread;
            put(&mut columns.threads, u64::from(thread));
            kind |= OTHER_THREAD;
        }
        columns.kinds.push(kind);
        put(&mut columns.times, event.at - at);
        at = event.at;
    }
    let all = [columns.kinds, columns.threads, columns.times, columns.sizes, columns.objects, columns.alignments];
    let mut out = Vec::new();
    for number in [first, born_before].into_iter().chain(all.iter().map(|column| column.len() as u64)) {
        put(&mut out, number);
    }
    all.iter().for_each(|column| out.extend_from_slice(column));
    out
}

/// `None`: these are no such columns. Which objects there are is for the reader to check.
pub(crate) fn decode(mut bytes: &[u8]) -> Option<Vec<Event>> {
    let mut at = take(&mut bytes)?;
    let mut born = take(&mut bytes)?;
    let mut lengths = [0; 6];
    for length in &mut lengths {
        *length = usize::try_from(take(&mut bytes)?).ok()?;
    }
    let mut columns = [&[] as &[u8]; 6];
    for (column, length) in columns.iter_mut().zip(lengths) {
        (*column, bytes) = bytes.split_at_checked(length)?;
    }
    let [kinds, mut threads, mut times, mut sizes, mut objects, mut alignments] = columns;
    if kinds.len() > EVENTS {
        return None;
    }
    let mut thread = 0;
    let mut events = Vec::with_capacity(kinds.len());
    for &kind in kinds {
        at = at.checked_add(take(&mut times)?)?;
        if kind & OTHER_THREAD != 0 {
            thread = u32::try_from(take(&mut threads)?).ok()?;
        }
        let op = match kind & !OTHER_THREAD {
            kind @ (MALLOC | CALLOC | ALIGNED) => {
                let size = take(&mut sizes)?;
                let mut align = 0;
                if kind == ALIGNED {
                    let (&first, rest) = alignments.split_first()?;
                    (align, alignments) = (first, rest);
                    if align == 0 || align > 63 {
                        return None;
                    }
                }
                Op::Allocate { object: next(&mut born)?, size, align, zeroed: kind == CALLOC }
            }
            FREE => Op::Free { object: born.checked_sub(take(&mut objects)?)? },
            REALLOC => {
                let (object, size) = (born.checked_sub(take(&mut objects)?)?, take(&mut sizes)?);
                Op::Reallocate { object, new: next(&mut born)?, size }
            }
            THREAD_END => Op::ThreadEnd,
            FORK => Op::Fork,
            FAILED => Op::Failed { size: take(&mut sizes)? },
            _ => return None,
        };
        events.push(Event { at, thread, op });
    }
    let used = [threads, times, sizes, objects, alignments, bytes].iter().all(|rest| rest.is_empty());
    used.then_some(events)
}

fn next(born: &mut u64) -> Option<u64> {
    let object = *born;
    *born = born.checked_add(1)?;
    Some(object)
}
