//! The `.hkt` file (docs/TRACES.md): a magic number, then chunks, each compressed, with a checksum and its length before it. The first tells
//! about the trace, the last says that there are no more, and how many events there were.

use std::io::{self, Read, Write};

use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::columns;
use super::event::{About, Event, Op, Totals};
use crate::error::{Context, Error, Result};

/// The last byte is the version.
pub(crate) const MAGIC: [u8; 8] = *b"HKTRACE\x01";

const ABOUT: u32 = u32::from_le_bytes(*b"ABOU");
const EVENTS: u32 = u32::from_le_bytes(*b"EVEN");
const TOTALS: u32 = u32::from_le_bytes(*b"TOTA");

pub(crate) struct Writer<W: Write> {
    out: W,
    events: Vec<Event>,
    /// The number of the next object before `events`.
    born: u64,
    totals: Totals,
}

impl<W: Write> Writer<W> {
    pub(crate) fn new(out: W, about: &About) -> Result<Writer<W>> {
        let mut writer = Writer { out, events: Vec::new(), born: 0, totals: Totals::default() };
        writer.out.write_all(&MAGIC).context(WRITING)?;
        writer.chunk(ABOUT, &json(about)?)?;
        Ok(writer)
    }

    pub(crate) fn event(&mut self, event: Event) -> Result<()> {
        self.totals.count(&event);
        self.events.push(event);
        if self.events.len() == columns::EVENTS { self.flush() } else { Ok(()) }
    }

    /// Writes what is left, and the totals: counts are the writer's own, all else is `known`'s.
    pub(crate) fn finish(mut self, known: Totals) -> Result<(W, Totals)> {
        self.flush()?;
        let counted = std::mem::take(&mut self.totals);
        let Totals { events, objects, threads, duration_ns, .. } = counted;
        let totals = Totals { events, objects, threads, duration_ns, ..known };
        self.chunk(TOTALS, &json(&totals)?)?;
        self.out.flush().context(WRITING)?;
        Ok((self.out, totals))
    }

    fn flush(&mut self) -> Result<()> {
        if self.events.is_empty() {
            return Ok(());
        }
        let bytes = columns::encode(&self.events, self.born);
        self.born = self.totals.objects;
        self.events.clear();
        self.chunk(EVENTS, &bytes)
    }

    fn chunk(&mut self, kind: u32, bytes: &[u8]) -> Result<()> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        let packed = encoder.write_all(bytes).and_then(|()| encoder.finish()).context(WRITING)?;
        let mut crc = Crc::new();
        crc.update(&packed);
        for word in [kind, packed.len() as u32, bytes.len() as u32, crc.sum()] {
            self.out.write_all(&word.to_le_bytes()).context(WRITING)?;
        }
        self.out.write_all(&packed).context(WRITING)
    }
}

const WRITING: &str = "writing the trace";

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).context("JSON")
}

/// Reads events one by one, in bounded memory: a bit for each object, and a chunk.
pub(crate) struct Reader<R: Read> {
    input: R,
    /// Of the next chunk.
    offset: u64,
    pub(crate) about: About,
    events: std::vec::IntoIter<Event>,
    order: Order,
    /// Counted as they go by; the file's own at the end.
    pub(crate) totals: Totals,
    ended: bool,
}

impl<R: Read> Reader<R> {
    pub(crate) fn new(mut input: R) -> Result<Reader<R>> {
        let mut magic = [0; 8];
        let got = fill(&mut input, &mut magic).context("reading")?;
        if got < magic.len() || magic.get(..7) != MAGIC.get(..7) {
            return Err(Error::new("not a trace: it does not begin as one"));
        }
        if magic != MAGIC {
            let version = magic.last().copied().unwrap_or_default();
            return Err(Error::new(format!("a trace of version {version}, which this hakmem can't read")));
        }
        let mut reader = Reader {
            input,
            offset: magic.len() as u64,
            about: About::default(),
            events: Vec::new().into_iter(),
            order: Order::default(),
            totals: Totals::default(),
            ended: false,
        };
        match reader.chunk()? {
            Some((ABOUT, bytes, at)) => reader.about = reader.object(&bytes, at)?,
            Some((.., at)) => return Err(damaged(at, "the first chunk is not the one about the trace")),
            None => return Err(Error::new("the trace ends at its beginning: nothing is in it")),
        }
        Ok(reader)
    }

    /// `None`: there are no more. A file that is cut off says so in the notes; one that is damaged is an error.
    pub(crate) fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.events.next() {
                self.totals.count(&event);
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            match self.chunk()? {
                Some((EVENTS, bytes, at)) => {
                    let events = columns::decode(&bytes).ok_or_else(|| damaged(at, "these are no events"))?;
                    self.order.check(&events).map_err(|why| damaged(at, &why))?;
                    self.events = events.into_iter();
                }
                Some((TOTALS, bytes, at)) => {
                    let totals: Totals = self.object(&bytes, at)?;
                    let counted = (totals.events, totals.objects);
                    if counted != (self.totals.events, self.totals.objects) {
                        return Err(damaged(at, "chunks of events are missing before it"));
                    }
                    self.totals = totals;
                    self.ended = true;
                }
                Some((.., at)) => return Err(damaged(at, "it is of no known kind")),
                None => {
                    self.ended = true;
                    let note = format!("the file is cut off at offset {}: the rest is missing", self.offset);
                    self.totals.notes.push(note);
                }
            }
        }
    }

    fn object<T: DeserializeOwned>(&self, bytes: &[u8], at: u64) -> Result<T> {
        serde_json::from_slice(bytes).map_err(|error| damaged(at, &error.to_string()))
    }

    /// Kind, contents and offset of the next chunk; `None`: the file ends before it, or in it.
    fn chunk(&mut self) -> Result<Option<(u32, Vec<u8>, u64)>> {
        let mut header = [0; 16];
        if fill(&mut self.input, &mut header).context("reading")? < header.len() {
            return Ok(None);
        }
        let at = self.offset;
        let mut words = header.chunks_exact(4).map(|word| word.try_into().map_or(0, u32::from_le_bytes));
        let mut word = || words.next().unwrap_or_default();
        let (kind, packed, unpacked, sum) = (word(), word() as usize, word() as usize, word());
        // Deflate makes nothing longer by more than this.
        if ![ABOUT, EVENTS, TOTALS].contains(&kind)
            || unpacked > columns::BYTES
            || packed > unpacked + unpacked / 64 + 64
        {
            return Err(damaged(at, "this is no head of a chunk"));
        }
        let mut compressed = vec![0; packed];
        if fill(&mut self.input, &mut compressed).context("reading")? < packed {
            return Ok(None);
        }
        let mut crc = Crc::new();
        crc.update(&compressed);
        if crc.sum() != sum {
            return Err(damaged(at, "its checksum is another"));
        }
        let mut bytes = Vec::with_capacity(unpacked);
        let most = unpacked as u64 + 1;
        let read = DeflateDecoder::new(&compressed[..]).take(most).read_to_end(&mut bytes);
        if read.is_err() || bytes.len() != unpacked {
            return Err(damaged(at, "its contents are not what was written"));
        }
        self.offset += (header.len() + packed) as u64;
        Ok(Some((kind, bytes, at)))
    }
}

fn damaged(at: u64, why: &str) -> Error {
    Error::new(format!("the chunk at offset {at} is damaged: {why}"))
}

/// As much as there is.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Whether events follow one another as a program's can: whoever reads them need not ask again.
#[derive(Default)]
pub(crate) struct Order {
    at: u64,
    threads: u32,
    born: u64,
    /// A bit for each object: it has not ended.
    live: Vec<u64>,
}

impl Order {
    pub(crate) fn check(&mut self, events: &[Event]) -> std::result::Result<(), String> {
        events.iter().try_for_each(|event| self.next(event))
    }

    fn next(&mut self, event: &Event) -> std::result::Result<(), String> {
        if event.at < self.at {
            return Err("time goes backwards".to_owned());
        }
        self.at = event.at;
        if event.thread > self.threads {
            return Err(format!("thread {} comes before thread {}", event.thread, self.threads));
        }
        self.threads = self.threads.max(event.thread.saturating_add(1));
        if let Op::Free { object } | Op::Reallocate { object, .. } = event.op {
            self.end(object)?;
        }
        if let Op::Allocate { object: new, .. } | Op::Reallocate { new, .. } = event.op {
            if new != self.born {
                return Err(format!("object {new} comes where {} should", self.born));
            }
            if self.born % 64 == 0 {
                self.live.push(0);
            }
            if let Some(word) = self.live.last_mut() {
                *word |= 1 << (self.born % 64);
            }
            self.born += 1;
        }
        Ok(())
    }

    fn end(&mut self, object: u64) -> std::result::Result<(), String> {
        let word = usize::try_from(object / 64).ok().and_then(|at| self.live.get_mut(at));
        let bit = 1 << (object % 64);
        match word {
            Some(word) if *word & bit != 0 => {
                *word &= !bit;
                Ok(())
            }
            _ => Err(format!("object {object} ends, which is not there")),
        }
    }
}
