//! The profile in pprof's form: protocol buffers, of `profile.proto`, uncompressed.
//! Written piece by piece into a sink; what has to be known before is its own length, so each message is put together first.
#![forbid(unsafe_code)]

use super::counts::{LOST, Lost};
use super::draw::{OBJECT, Weight};
use super::objects::Objects;
use super::sites::{Sites, Totals};
use crate::base::digits::nibble;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::os;
use crate::stats::text::Text;

pub(super) type Sink<'a> = &'a mut dyn FnMut(&[u8]);

/// A message in the making: 64 locations of 11 bytes, and the rest of a sample.
pub(super) struct Message {
    bytes: [u8; 1024],
    len: usize,
}

impl Message {
    fn clear(&mut self) -> &mut Self {
        self.len = 0;
        self
    }

    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.len) {
            *slot = byte;
            self.len += 1;
        }
    }

    fn varint(&mut self, mut value: u64) -> &mut Self {
        while value >= 0x80 {
            self.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.push(value as u8);
        self
    }

    /// A number.
    fn number(&mut self, field: u64, value: u64) -> &mut Self {
        self.varint(field << 3).varint(value)
    }

    /// Numbers, as a message within.
    fn numbers(&mut self, field: u64, all: &[(u64, u64)]) -> &mut Self {
        let size = |&(field, value): &(u64, u64)| varint_len(field << 3) + varint_len(value);
        self.varint(field << 3 | 2).varint(all.iter().map(size).sum());
        all.iter().fold(self, |message, &(field, value)| message.number(field, value))
    }

    /// Writes it as `field` of the profile.
    fn end(&mut self, field: u64, sink: Sink<'_>) {
        let mut head = [0; 4];
        let mut len = 0;
        let mut put = |byte: u8| {
            if let Some(slot) = head.get_mut(len) {
                *slot = byte;
                len += 1;
            }
        };
        put((field << 3 | 2) as u8);
        let mut rest = self.len;
        while rest >= 0x80 {
            put(rest as u8 | 0x80);
            rest >>= 7;
        }
        put(rest as u8);
        sink(head.get(..len).unwrap_or_default());
        sink(self.bytes.get(..self.len).unwrap_or_default());
    }
}

fn varint_len(value: u64) -> u64 {
    u64::from((64 - value.leading_zeros()).div_ceil(7).max(1))
}

/// The addresses that were told of: open addressing over memory that is mapped for the time of one profile. 0 is nobody's place.
pub(super) struct Seen<'a> {
    /// A power of two of them.
    pub(super) places: &'a [AtomicUsize],
    pub(super) len: usize,
}

impl Seen<'_> {
    /// `false`: there is no room for it.
    fn insert(&mut self, at: usize) -> bool {
        let mask = self.places.len().wrapping_sub(1);
        let first = ((at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize;
        let found = (0..self.places.len())
            .filter_map(|step| self.places.get((first + step) & mask))
            // Relaxed, all: nobody else is here.
            .find(|place| matches!(place.load(Ordering::Relaxed), held if held == 0 || held == at));
        let Some(place) = found else { return false };
        if place.load(Ordering::Relaxed) == at {
            return true;
        }
        // One place stays free, and more: else each look would walk through all of them.
        let room = self.len < self.places.len() / 4 * 3;
        if room {
            place.store(at, Ordering::Relaxed);
            self.len += 1;
        }
        room
    }

    fn all(&self) -> impl Iterator<Item = usize> {
        self.places.iter().map(|place| place.load(Ordering::Relaxed)).filter(|&at| at != 0)
    }
}

/// The texts that are always there, by their numbers.
const TEXTS: [&str; 14] = [
    "",
    "alloc_objects",
    "count",
    "alloc_space",
    "bytes",
    "inuse_objects",
    "inuse_space",
    "space",
    "thread",
    "[stack not known]",
    "peak_objects",
    "peak_space",
    "lifetime",
    "milliseconds",
];
/// The values of a sample: kind and unit. The first four are those of Go's heap profiles.
const KINDS: [(u64, u64); 6] = [(1, 2), (3, 4), (5, 2), (6, 4), (10, 2), (11, 4)];
const LIFETIME: (u64, u64) = (12, 13);
const THREAD: u64 = 8;
const NOT_KNOWN: u64 = 9;

/// What one profile is written from.
pub(super) struct Source<'a> {
    pub(super) sites: Sites<'a>,
    pub(super) objects: &'a Objects,
    pub(super) rate: u64,
}

/// The samples that a stack comes to: of what is live, or was at the peak; and of what was freed, by an upper bound of its age.
///
/// Summed, as a reader does who does not ask for ages, they are what was allocated.
fn samples(totals: Totals) -> impl Iterator<Item = (Option<u64>, [u64; 6])> {
    let figures = |Weight { objects, bytes }: Weight| [(objects + OBJECT / 2) / OBJECT, bytes];
    let ([objects, bytes], [peak_objects, peak_bytes]) = (figures(totals.live()), figures(totals.peak));
    let kept = (None, [objects, bytes, objects, bytes, peak_objects, peak_bytes]);
    let gone = totals.freed.into_iter().enumerate().map(move |(age, freed)| {
        let [objects, bytes] = figures(freed);
        (Some(10_u64.pow(age as u32)), [objects, bytes, 0, 0, 0, 0])
    });
    core::iter::once(kept).chain(gone).filter(|(_, values)| values.iter().any(|&value| value > 0))
}

pub(super) fn thread(name: [u64; 2]) -> ([u8; 16], usize) {
    let [first, second] = name.map(u64::to_ne_bytes);
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(first.into_iter().chain(second)).for_each(|(to, from)| *to = from);
    (bytes, bytes.iter().position(|&byte| byte == 0).unwrap_or(16))
}

/// Where a frame's call lies: the return address is behind it.
pub(super) fn call_of(frame: &AtomicUsize) -> usize {
    frame.load(Ordering::Relaxed).wrapping_sub(1)
}

impl Source<'_> {
    /// `message` and `seen` are room to work in.
    #[inline(never)]
    pub(super) fn write_pprof(&self, message: &mut Message, seen: &mut Seen<'_>, sink: Sink<'_>) {
        for (kind, unit) in KINDS {
            message.clear().number(1, kind).number(2, unit).end(1, sink);
        }
        for text in TEXTS {
            string(text.as_bytes(), message, sink);
        }
        let mut texts = TEXTS.len() as u64;
        self.write_objects(message, &mut texts, sink);
        self.write_samples(message, seen, &mut texts, sink);
        // The one function that is told of by name: no stack is empty.
        message.clear().number(1, 1).number(2, NOT_KNOWN).end(5, sink);
        message.clear().number(1, 1).numbers(4, &[(1, 1), (2, 0)]).end(4, sink);
        for at in seen.all() {
            let object = self.objects.number(at) as u64;
            message.clear().number(1, at as u64).number(2, object).number(3, at as u64).end(4, sink);
        }
        comment(&LOST, message, sink);
        message.clear().number(1, 7).number(2, 4).end(11, sink);
        // Plain numbers of the profile itself: when it was taken (nanoseconds), its period, what is shown first, the comment.
        message.clear().number(9, os::realtime_ms() * 1_000_000).number(12, self.rate).number(14, 6).number(13, texts);
        sink(message.bytes.get(..message.len).unwrap_or_default());
    }

    fn write_objects(&self, message: &mut Message, texts: &mut u64, sink: Sink<'_>) {
        for (number, object) in (1..).zip(self.objects.all()) {
            message.clear().number(1, number).number(2, object.start as u64).number(3, object.end as u64);
            message.number(4, object.offset as u64).number(5, *texts).number(6, *texts + 1).end(3, sink);
            string(object.name(), message, sink);
            message.clear();
            for &byte in object.build() {
                for digit in [byte >> 4, byte & 15] {
                    message.push(nibble(digit));
                }
            }
            message.end(6, sink);
            *texts += 2;
        }
    }

    #[inline(never)]
    fn write_samples(&self, message: &mut Message, seen: &mut Seen<'_>, texts: &mut u64, sink: Sink<'_>) {
        for (number, totals) in self.sites.each() {
            let stack = self.sites.stack(number);
            let stack = stack.filter(|(frames, _)| frames.iter().all(|frame| seen.insert(call_of(frame))));
            for (age, values) in samples(totals) {
                message.clear();
                match stack {
                    Some((frames, _)) => frames.iter().for_each(|frame| {
                        message.number(1, call_of(frame) as u64);
                    }),
                    None => {
                        message.number(1, 1);
                    }
                }
                values.into_iter().for_each(|value| {
                    message.number(2, value);
                });
                if stack.is_some() {
                    message.numbers(3, &[(1, THREAD), (2, *texts)]);
                }
                if let Some(age) = age {
                    message.numbers(3, &[(1, LIFETIME.0), (3, age), (4, LIFETIME.1)]);
                }
                message.end(2, sink);
            }
            if let Some((_, name)) = stack {
                let (name, len) = thread(name);
                string(name.get(..len).unwrap_or_default(), message, sink);
                *texts += 1;
            }
        }
    }
}

fn string(text: &[u8], message: &mut Message, sink: Sink<'_>) {
    message.clear();
    text.iter().for_each(|&byte| message.push(byte));
    message.end(6, sink);
}

/// What is missing in the profile, as a text of it.
fn comment(lost: &Lost, message: &mut Message, sink: Sink<'_>) {
    message.clear();
    let mut put = |piece: &[u8]| piece.iter().for_each(|&byte| message.push(byte));
    // Relaxed: figures.
    let figure = |of: &core::sync::atomic::AtomicU64| of.load(core::sync::atomic::Ordering::Relaxed);
    let mut text = Text::to(&mut put);
    text.str(concat!("hakmem ", env!("CARGO_PKG_VERSION"), ": samples lost ")).num(figure(&lost.samples));
    text.str(", blocks lost ").num(figure(&lost.blocks)).str(", stacks lost ").num(figure(&lost.stacks));
    drop(text);
    message.end(6, sink);
}
