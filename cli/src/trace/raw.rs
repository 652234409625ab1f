//! The raw file that the library writes while a program runs: chunks, which a thread
//! fills through a mapping. So it may end anywhere, and hold anything: what can be read is, what can't is noted with its place.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::event::{About, note};
use super::varint::{from_zigzag, take};
use crate::error::{Context, Error, Result};

/// The last byte is the version.
pub(crate) const MAGIC: [u8; 8] = *b"HKTRAW\0\x01";
pub(crate) const CHUNK_MAGIC: [u8; 4] = *b"HKTC";

/// No event is longer: an operation and five numbers.
const LONGEST: usize = 1 + 5 * 10;
const WINDOW: usize = 4096;

/// A file, or bytes.
pub(crate) trait Source {
    fn size(&self) -> io::Result<u64>;
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;
}

impl Source for File {
    fn size(&self) -> io::Result<u64> {
        self.metadata().map(|metadata| metadata.len())
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, at)
    }
}

impl Source for &[u8] {
    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let rest = usize::try_from(at).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }
}

/// One event as it stands, with addresses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RawEvent {
    pub(crate) ticks: u64,
    /// As the library numbers them.
    pub(crate) thread: u32,
    pub(crate) op: RawOp,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum RawOp {
    Allocate { address: u64, size: u64, align: u8, zeroed: bool },
    Free { address: u64 },
    Reallocate { old: u64, new: u64, size: u64 },
    ThreadEnd,
    Fork,
    Failed { size: u64 },
}

pub(crate) struct Raw<S> {
    source: S,
    chunk: u64,
    pub(crate) about: About,
    pub(crate) clock: Clock,
    pub(crate) dropped: u64,
    /// Offsets of the chunks, and the ticks at which each was begun. A thread's events are in their order, within a chunk and from one to
    /// the next; a chunk may go on with another thread's.
    pub(crate) chunks: Vec<(u64, u64)>,
    pub(crate) notes: Vec<String>,
}

#[derive(Clone, Copy)]
pub(crate) struct Clock {
    start: u64,
    per_second: f64,
}

impl Clock {
    pub(crate) fn ns(self, ticks: u64) -> u64 {
        (ticks.saturating_sub(self.start) as f64 * 1e9 / self.per_second) as u64
    }

    pub(crate) fn ticks(self, ns: u64) -> u64 {
        (ns as f64 * self.per_second / 1e9) as u64
    }
}

impl<S: Source> Raw<S> {
    /// Looks at the heads of all chunks.
    pub(crate) fn open(source: S) -> Result<Raw<S>> {
        let mut head = vec![0; 80 + 4096];
        let got = fill(&source, &mut head, 0)?;
        head.truncate(got);
        if head.get(..7) != MAGIC.get(..7) {
            return Err(Error::new("not a trace: it does not begin as one"));
        }
        let version = word32(&head, 8).unwrap_or_default();
        if head.get(7) != MAGIC.last() || version != 1 {
            return Err(Error::new(format!("a raw trace of version {version}, which this hakmem can't read")));
        }
        let word = |at| word64(&head, at).ok_or_else(|| Error::new("the trace ends in its head: nothing is in it"));
        let chunk = u64::from(word32(&head, 12).unwrap_or_default());
        if !(256..=1 << 26).contains(&chunk) {
            return Err(Error::new(format!("the trace's head is damaged: chunks of {chunk} bytes, at offset 12")));
        }
        let [pid, per_second, start, start_ns, last, last_ns, dropped, flags] =
            [word(16)?, word(24)?, word(32)?, word(40)?, word(48)?, word(56)?, word(64)?, word(72)?];
        let mut notes = Vec::new();
        let measured = last.saturating_sub(start) as f64 * 1e9 / last_ns.saturating_sub(start_ns).max(1) as f64;
        let per_second = if per_second != 0 { per_second as f64 } else { measured };
        let timed = (1e5..1e12).contains(&per_second);
        if !timed {
            note(&mut notes, || {
                "how fast its clock went is not known: times are wrong, their order is right".to_owned()
            });
        }
        let words = head.get(80..).unwrap_or_default().split(|&byte| byte == 0);
        let command = words.take_while(|word| !word.is_empty()).map(|word| String::from_utf8_lossy(word).into_owned());
        let about = About {
            command: command.collect(),
            pid,
            start_ns,
            source: "hakmem".to_owned(),
            forked: flags & 1 != 0,
            attached: flags & 2 != 0,
            timed,
        };
        let clock = Clock { start, per_second: if timed { per_second } else { 1e9 } };
        let mut raw = Raw { source, chunk, about, clock, dropped, chunks: Vec::new(), notes };
        raw.find_chunks()?;
        Ok(raw)
    }

    fn find_chunks(&mut self) -> Result<()> {
        let size = self.source.size().context("reading")?;
        let mut at = self.chunk;
        while at < size {
            let mut head = [0; 32];
            let got = fill(&self.source, &mut head, at)?;
            if got < head.len() {
                note(&mut self.notes, || format!("the file is cut off at offset {size}, in a chunk's head"));
            } else if head.get(..4) == Some(&CHUNK_MAGIC) {
                self.chunks.push((at, word64(&head, 8).unwrap_or_default()));
            } else if head != [0; 32] {
                // All zero: it was handed out, and nobody came to fill it.
                note(&mut self.notes, || format!("no chunk at offset {at}, where one should be: it is left out"));
            }
            at += self.chunk;
        }
        Ok(())
    }

    /// Goes through the chunk at an offset.
    pub(crate) fn cursor(&self, at: u64) -> Result<Cursor> {
        let mut head = [0; 32];
        fill(&self.source, &mut head, at)?;
        let last = Last {
            ticks: word64(&head, 8).unwrap_or_default(),
            thread: word32(&head, 4).unwrap_or_default(),
            address: word64(&head, 24).unwrap_or_default(),
        };
        Ok(Cursor { window: Vec::new(), used: 0, next: at + 32, end: at + self.chunk, last })
    }

    /// The chunk's next event; what is damaged is noted, and the rest of the chunk left out.
    pub(crate) fn event(&mut self, cursor: &mut Cursor) -> Result<Option<RawEvent>> {
        loop {
            cursor.refill(&self.source)?;
            let mut bytes = cursor.window.get(cursor.used..).unwrap_or_default();
            let before = bytes.len();
            let Some(&code) = bytes.first().filter(|&&code| code != 0) else { return Ok(None) };
            match cursor.last.parse(code, &mut bytes) {
                Some(op) => {
                    cursor.used += before - bytes.len();
                    let Last { ticks, thread, .. } = cursor.last;
                    if let Some(op) = op {
                        return Ok(Some(RawEvent { ticks, thread, op }));
                    }
                }
                None => {
                    let at = cursor.next - before as u64;
                    note(&mut self.notes, || {
                        format!("no event at offset {at}, where one should be: the rest of the chunk is left out")
                    });
                    return Ok(None);
                }
            }
        }
    }
}

pub(crate) struct Cursor {
    window: Vec<u8>,
    used: usize,
    /// The offset after the window, and that of the chunk's end.
    next: u64,
    end: u64,
    last: Last,
}

/// What the next event is told against.
struct Last {
    ticks: u64,
    thread: u32,
    address: u64,
}

impl Cursor {
    /// So that an event that begins in the window also ends in it.
    fn refill(&mut self, source: &impl Source) -> Result<()> {
        let left = self.window.len() - self.used;
        if left >= LONGEST || self.next >= self.end {
            return Ok(());
        }
        self.window.drain(..self.used);
        self.used = 0;
        let room = (self.end - self.next).min((WINDOW - left) as u64) as usize;
        self.window.resize(left + room, 0);
        let got = match self.window.get_mut(left..) {
            Some(rest) => fill(source, rest, self.next)?,
            None => 0,
        };
        self.window.truncate(left + got);
        self.next += got as u64;
        if got < room {
            self.end = self.next; // the file ends here
        }
        Ok(())
    }
}

impl Last {
    /// Inner `None`: the events from here on are another thread's.
    fn parse(&mut self, code: u8, bytes: &mut &[u8]) -> Option<Option<RawOp>> {
        *bytes = bytes.get(1..)?;
        let ticks = self.ticks.wrapping_add(take(bytes)?);
        let unit = if code & 0x10 == 0 { 16 } else { 1 };
        let mut last = self.address;
        let mut address = |bytes: &mut &[u8], unit: u64| {
            last = last.wrapping_add((from_zigzag(take(bytes)?) as u64).wrapping_mul(unit));
            Some(last)
        };
        let op = match code & 0x0f {
            kind @ (1 | 2) => {
                let size = take(bytes)?;
                RawOp::Allocate { address: address(bytes, unit)?, size, align: 0, zeroed: kind == 2 }
            }
            3 | 6 => RawOp::Free { address: address(bytes, unit)? },
            4 => {
                let old = address(bytes, unit)?;
                let size = take(bytes)?;
                RawOp::Reallocate { old, new: address(bytes, unit)?, size }
            }
            5 => {
                let size = take(bytes)?;
                let align = match code >> 4 {
                    15 => Some(take(bytes)?).filter(|&log2| log2 < 64)? as u8,
                    log2 => log2,
                };
                RawOp::Allocate { address: address(bytes, 1)?, size, align: align.max(1), zeroed: false }
            }
            7 => RawOp::ThreadEnd,
            8 => RawOp::Fork,
            9 => RawOp::Failed { size: take(bytes)? },
            10 => {
                self.thread = u32::try_from(take(bytes)?).ok()?;
                self.ticks = ticks;
                return Some(None);
            }
            _ => return None,
        };
        (self.ticks, self.address) = (ticks, last);
        Some(Some(op))
    }
}

fn fill(source: &impl Source, buffer: &mut [u8], at: u64) -> Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match source.read_at(rest, at + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("reading"),
        }
    }
    Ok(done)
}

fn word32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn word64(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
}
