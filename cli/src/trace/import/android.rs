//! Android's text: a line for each call, as its malloc debug writes them with record_allocs, and memory_replay reads them. With the times of
//! a call's beginning and end in nanoseconds, or without.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use super::numbering::{Numbering, power};
use crate::error::{Context, Error, Result};
use crate::trace::event::{Op, Totals};

/// A line is never so long, a file that is none of these may be.
const LONGEST: u64 = 4096;

/// Whether the first line has times.
pub(super) fn is_timed(path: &Path) -> Result<bool> {
    let mut line = String::new();
    let file = File::open(path).context(path.display())?;
    let _ = std::io::Read::take(BufReader::new(file), LONGEST).read_line(&mut line);
    let words = line.split_whitespace().count();
    Ok(matches!(
        (line.split_whitespace().nth(1), words),
        (Some("malloc"), 6) | (Some("calloc" | "realloc" | "memalign"), 7) | (Some("free"), 5)
    ))
}

pub(super) fn read<W: Write>(mut input: impl BufRead, mut to: Numbering<'_, W>) -> Result<Totals> {
    let mut line = String::new();
    for number in 1u64.. {
        line.clear();
        let read = std::io::Read::take(&mut input, LONGEST).read_line(&mut line);
        let wrong = |why: &str| Error::new(format!("line {number}: {why}"));
        if read.map_err(|error| wrong(&error.to_string()))? == 0 {
            break;
        }
        if !line.trim().is_empty() {
            call(line.trim(), &mut to)?.ok_or_else(|| wrong("this is no call as Android writes them"))?;
        }
    }
    Ok(to.totals)
}

/// `None`: it is none.
fn call<W: Write>(line: &str, to: &mut Numbering<'_, W>) -> Result<Option<()>> {
    let Some(call) = Call::parse(line) else { return Ok(None) };
    let Call { thread, name, pointer, numbers, begin, end } = call;
    // A call is where it gives its block, or takes it back.
    to.time(if name == "free" { begin } else { end });
    let [first, second] = numbers;
    match name {
        "thread_done" => to.say(thread, Op::ThreadEnd)?,
        "free" if pointer == 0 => {}
        "free" => to.free(thread, pointer)?,
        "realloc" if first != 0 && pointer == 0 && second == 0 => to.free(thread, first)?,
        "malloc" if pointer == 0 => to.say(thread, Op::Failed { size: first })?,
        "calloc" | "realloc" | "memalign" if pointer == 0 => to.say(thread, Op::Failed { size: second })?,
        "malloc" => to.allocate(thread, pointer, first, 0, false)?,
        "calloc" => to.allocate(thread, pointer, first.saturating_mul(second), 0, true)?,
        "realloc" if first == 0 => to.allocate(thread, pointer, second, 0, false)?,
        "realloc" => to.reallocate(thread, first, pointer, second)?,
        "memalign" => match power(first) {
            Some(align) => to.allocate(thread, pointer, second, align, false)?,
            None => return Ok(None),
        },
        _ => return Ok(None),
    }
    Ok(Some(()))
}

struct Call<'a> {
    thread: u64,
    name: &'a str,
    pointer: u64,
    /// Sizes, alignment, or the old pointer.
    numbers: [u64; 2],
    begin: u64,
    end: u64,
}

impl<'a> Call<'a> {
    fn parse(line: &'a str) -> Option<Call<'a>> {
        let (thread, rest) = line.split_once(':')?;
        let mut words = rest.split_whitespace();
        let name = words.next()?;
        let pointer = hex(words.next()?)?;
        let count = match name {
            "thread_done" | "free" => 0,
            "malloc" => 1,
            "calloc" | "realloc" | "memalign" => 2,
            _ => return None,
        };
        let mut numbers = [0; 2];
        for (place, number) in numbers.iter_mut().take(count).enumerate() {
            let word = words.next()?;
            *number = if name == "realloc" && place == 0 { hex(word)? } else { word.parse().ok()? };
        }
        let times: Option<Vec<u64>> = words.map(|word| word.parse().ok()).collect();
        let (begin, end) = match (name, &times?[..]) {
            (_, []) => (0, 0),
            ("thread_done", [end]) => (*end, *end),
            (_, [begin, end]) => (*begin, *end),
            _ => return None,
        };
        Some(Call { thread: thread.trim().parse().ok()?, name, pointer, numbers, begin, end })
    }
}

fn hex(word: &str) -> Option<u64> {
    u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()
}
