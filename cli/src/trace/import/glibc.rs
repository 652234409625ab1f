//! The workload of glibc's trace utilities, as its trace2wl writes it and its trace_run runs it: a part for each thread, in which numbers
//! stand for pointers, and signals that a thread gives and another waits for. Here the threads take turns, one call each, as far as the
//! signals let them.
//!
//! Numbers there have seven bits a byte, the highest first, the high bit on all but the last.

use std::io::Write;

use super::numbering::{Numbering, power};
use crate::error::{Error, Result};
use crate::trace::event::Totals;

const NOP: u8 = 0;
const DONE: u8 = 1;
const MALLOC: u8 = 2;
const CALLOC: u8 = 3;
const REALLOC: u8 = 4;
const FREE: u8 = 5;
const GIVE: u8 = 6;
const AWAIT: u8 = 7;
const POINTERS: u8 = 8;
const SIGNALS: u8 = 9;
const THREADS: u8 = 10;
const START: u8 = 11;
const MEMALIGN: u8 = 12;
const VALLOC: u8 = 13;
const PVALLOC: u8 = 14;
const POSIX_MEMALIGN: u8 = 15;

const PAGE: u64 = 4096;

struct Part<'a> {
    all: &'a [u8],
    at: usize,
}

/// What became of a thread's turn.
enum Turn {
    Went,
    Waits,
    Done,
}

pub(super) fn read<W: Write>(bytes: &[u8], mut to: Numbering<'_, W>) -> Result<Totals> {
    let mut threads = starts(bytes)?;
    // Given signals; there can be no more of them than bytes.
    let mut given = std::collections::HashSet::new();
    while !threads.is_empty() {
        let mut moved = false;
        let mut place = 0;
        while let Some((number, part)) = threads.get_mut(place) {
            match part.turn(*number, &mut given, &mut to)? {
                Turn::Went => moved = true,
                Turn::Waits => {}
                Turn::Done => {
                    moved = true;
                    threads.remove(place);
                    continue;
                }
            }
            place += 1;
        }
        if !moved {
            let count = threads.len();
            to.note(|| format!("{count} threads wait for signals that nobody gives: the rest of them is left out"));
            break;
        }
    }
    Ok(to.totals)
}

/// The parts of the threads, as the beginning tells.
fn starts(bytes: &[u8]) -> Result<Vec<(u64, Part<'_>)>> {
    let mut main = Part { all: bytes, at: 0 };
    let mut threads: Vec<(u64, Part)> = Vec::new();
    loop {
        match main.byte()? {
            NOP => {}
            POINTERS | SIGNALS | THREADS => {
                main.number()?;
            }
            START => {
                let at = usize::try_from(main.number()?).ok().filter(|&at| at < bytes.len());
                let at = at.ok_or_else(|| main.wrong("a thread's part is beyond the end"))?;
                if threads.len() > 100_000 {
                    return Err(main.wrong("more threads than any program has"));
                }
                threads.push((threads.len() as u64, Part { all: bytes, at }));
            }
            DONE if !threads.is_empty() => return Ok(threads),
            _ => return Err(main.wrong("this is no workload of glibc's trace utilities")),
        }
    }
}

impl Part<'_> {
    fn turn<W: Write>(
        &mut self,
        thread: u64,
        given: &mut std::collections::HashSet<u64>,
        to: &mut Numbering<'_, W>,
    ) -> Result<Turn> {
        loop {
            let begin = self.at;
            match self.byte()? {
                NOP => continue,
                DONE => return Ok(Turn::Done),
                GIVE => {
                    given.insert(self.number()?);
                }
                AWAIT => {
                    if !given.contains(&self.number()?) {
                        self.at = begin;
                        return Ok(Turn::Waits);
                    }
                }
                FREE => {
                    let pointer = self.number()?;
                    if pointer != 0 {
                        to.free(thread, pointer)?;
                    }
                }
                REALLOC => {
                    let (new, old, size) = (self.number()?, self.number()?, self.number()?);
                    let known = old != 0 && to.knows(old);
                    match (new, known) {
                        (0, true) => to.free(thread, old)?,
                        (0, false) => {}
                        (_, true) => to.reallocate(thread, old, new, size)?,
                        // As trace_run has it, a pointer that is not there is null.
                        (_, false) => to.allocate(thread, new, size, 0, false)?,
                    }
                }
                code => self.allocate(code, thread, to)?,
            }
            return Ok(Turn::Went);
        }
    }

    fn allocate<W: Write>(&mut self, code: u8, thread: u64, to: &mut Numbering<'_, W>) -> Result<()> {
        let begin = self.at - 1;
        let (pointer, align) = match code {
            MALLOC | CALLOC => (self.number()?, 1),
            VALLOC | PVALLOC => (self.number()?, PAGE),
            MEMALIGN | POSIX_MEMALIGN => (self.number()?, self.number()?),
            _ => {
                self.at = begin;
                return Err(self.wrong("this is no call"));
            }
        };
        let size = self.number()?;
        let Some(align) = power(align) else { return Err(self.wrong("an alignment that is no power of two")) };
        // 0: it failed there, or gave null.
        if pointer == 0 { Ok(()) } else { to.allocate(thread, pointer, size, align, code == CALLOC) }
    }

    fn byte(&mut self) -> Result<u8> {
        let byte = self.all.get(self.at).copied().ok_or_else(|| self.wrong("the file ends here"))?;
        self.at += 1;
        Ok(byte)
    }

    fn number(&mut self) -> Result<u64> {
        let mut value = 0u64;
        loop {
            let byte = self.byte()?;
            if value >> 57 != 0 {
                return Err(self.wrong("a number of more than 64 bits"));
            }
            value = value << 7 | u64::from(byte & 0x7f);
            if byte < 0x80 {
                return Ok(value);
            }
        }
    }

    fn wrong(&self, why: &str) -> Error {
        Error::new(format!("offset {}: {why}", self.at))
    }
}
