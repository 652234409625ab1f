//! `Event`: what is written of a call.
#![forbid(unsafe_code)]

use super::pen::Pen;
use crate::base::addr::Addr;

#[derive(Clone, Copy)]
pub(crate) enum Event {
    Malloc {
        size: usize,
        at: Addr,
    },
    Calloc {
        size: usize,
        at: Addr,
    },
    Free {
        at: Addr,
    },
    /// Where the block stays, both addresses are its own.
    Realloc {
        old: Addr,
        size: usize,
        at: Addr,
    },
    Aligned {
        size: usize,
        align: usize,
        at: Addr,
    },
    /// A request that found no memory.
    Failed {
        size: usize,
    },
    /// The calling thread is about to end.
    End,
    /// The calling thread has forked.
    Forked,
    /// What comes next in the chunk is this thread's.
    Thread {
        number: u32,
    },
}

/// Bytes of the longest event: an op, and four numbers of ten bytes.
pub(super) const LONGEST: usize = 41;

// The format, docs/TRACES.md: kinds in the low four bits of an op.
const MALLOC: u8 = 1;
const CALLOC: u8 = 2;
const FREE: u8 = 3;
const REALLOC: u8 = 4;
const ALIGNED: u8 = 5;
const END: u8 = 7;
const FORKED: u8 = 8;
const FAILED: u8 = 9;
const THREAD: u8 = 10;
/// In the op: addresses are told in bytes, not in units of 16.
const BYTES: u8 = 0x10;
/// In the op's upper bits: the alignment's logarithm comes after the size.
const ALIGNMENT_FOLLOWS: u32 = 15;

/// How far `to` is from `from`, in a number that is small either way.
#[inline(always)]
fn step(from: usize, to: usize, shift: u32) -> u64 {
    let delta = (to.wrapping_sub(from) as i64) >> shift;
    (delta << 1 ^ delta >> 63) as u64
}

/// The unit in which that can be told, as a shift, and what the op says of it.
#[inline(always)]
fn unit(one: usize, other: usize) -> (u32, u8) {
    if (one | other) % 16 == 0 { (4, 0) } else { (0, BYTES) }
}

/// Writes an event's numbers, which begin with the `delta` of ticks. Returns its op, and the address to count from next. `last`: the present one.
#[inline(always)]
pub(super) fn write(event: Event, delta: u64, last: usize, pen: &mut Pen) -> (u8, usize) {
    pen.put(delta);
    let block = |pen: &mut Pen, kind: u8, at: Addr| {
        let (unit, flag) = unit(at.0.wrapping_sub(last), 0);
        pen.put(step(last, at.0, unit));
        (kind | flag, at.0)
    };
    match event {
        Event::Malloc { size, at } => {
            pen.put(size as u64);
            block(pen, MALLOC, at)
        }
        Event::Calloc { size, at } => {
            pen.put(size as u64);
            block(pen, CALLOC, at)
        }
        Event::Free { at } => block(pen, FREE, at),
        Event::Realloc { old, size, at } => {
            let (unit, flag) = unit(old.0.wrapping_sub(last), at.0.wrapping_sub(old.0));
            pen.put(step(last, old.0, unit));
            pen.put(size as u64);
            pen.put(step(old.0, at.0, unit));
            (REALLOC | flag, at.0)
        }
        Event::Aligned { size, align, at } => {
            pen.put(size as u64);
            let power = align.trailing_zeros();
            if power >= ALIGNMENT_FOLLOWS {
                pen.put(u64::from(power));
            }
            pen.put(step(last, at.0, 0));
            (ALIGNED | (power.min(ALIGNMENT_FOLLOWS) as u8) << 4, at.0)
        }
        Event::Failed { size } => {
            pen.put(size as u64);
            (FAILED, last)
        }
        Event::End => (END, last),
        Event::Forked => (FORKED, last),
        Event::Thread { number } => {
            pen.put(u64::from(number));
            (THREAD, last)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(event: Event, delta: u64, last: usize) -> (std::vec::Vec<u8>, usize) {
        let mut room = [0; LONGEST + Pen::BEHIND];
        // SAFETY comes with the room: see `Pen::new`, which the test below of the longest event holds to it.
        let mut pen = Pen::over(&mut room);
        let (op, next) = write(event, delta, last, &mut pen);
        let len = pen.written();
        (core::iter::once(op).chain(room[..len].iter().copied()).collect(), next)
    }

    #[test]
    fn events_are_as_the_format_says() {
        let at = Addr(0x7000_0000_1040);
        assert_eq!(bytes(Event::Malloc { size: 100, at }, 5, at.0 - 32), (vec![1, 5, 100, 4], at.0));
        assert_eq!(bytes(Event::Calloc { size: 300, at }, 0, at.0 + 16), (vec![2, 0, 0xAC, 2, 1], at.0));
        assert_eq!(bytes(Event::Free { at }, 128, at.0 + 3), (vec![0x13, 0x80, 1, 5], at.0));
        let old = Addr(at.0 - 64);
        assert_eq!(bytes(Event::Realloc { old, size: 9, at }, 1, old.0), (vec![4, 1, 0, 9, 8], at.0));
        assert_eq!(bytes(Event::Aligned { size: 7, align: 64, at }, 1, at.0 - 64), (vec![0x65, 1, 7, 0x80, 1], at.0));
        assert_eq!(bytes(Event::Aligned { size: 7, align: 1 << 20, at }, 1, at.0), (vec![0xF5, 1, 7, 20, 0], at.0));
        assert_eq!(bytes(Event::Failed { size: 127 }, 1, 16), (vec![9, 1, 127], 16));
        assert_eq!(bytes(Event::End, 1, 16), (vec![7, 1], 16));
        assert_eq!(bytes(Event::Forked, 1, 16), (vec![8, 1], 16));
        assert_eq!(bytes(Event::Thread { number: 300 }, 1, 16), (vec![10, 1, 0xAC, 2], 16));
    }

    #[test]
    fn the_longest_event_is_no_longer_than_its_room() {
        let far = Addr(1 << 63);
        let longest = Event::Realloc { old: far, size: usize::MAX, at: Addr(1) };
        assert_eq!(bytes(longest, u64::MAX, 0).0.len(), LONGEST);
        let aligned = Event::Aligned { size: usize::MAX, align: 1 << 63, at: far };
        assert!(bytes(aligned, u64::MAX, 0).0.len() <= LONGEST);
    }
}
