//! A profile for other programs: pprof's form with the names in it, gzipped, and folded stacks.

use std::collections::HashMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::book::{Book, KINDS, Snapshot};
use super::wire::Writer;
use crate::error::{Context, Result};

/// The texts of a profile, numbered; the first is empty.
#[derive(Default)]
struct Texts {
    all: Vec<String>,
    numbers: HashMap<String, u64>,
}

impl Texts {
    fn number(&mut self, text: &str) -> u64 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let number = self.all.len() as u64;
        self.all.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }
}

/// In Go's order, live bytes shown first.
const ORDER: [(usize, &str); 6] = [(3, "count"), (2, "bytes"), (1, "count"), (0, "bytes"), (5, "count"), (4, "bytes")];

pub(crate) fn pprof(book: &Book, snapshot: &Snapshot) -> Result<Vec<u8>> {
    let mut texts = Texts::default();
    texts.number("");
    let mut profile = Writer::default();
    let kinds: Vec<(usize, &str)> =
        ORDER.into_iter().filter(|&(kind, _)| snapshot.has_peak || !is_peak(kind)).collect();
    for &(kind, unit) in &kinds {
        let (name, unit) = (texts.number(name(kind)), texts.number(unit));
        profile.message(1, |value_type| {
            value_type.number(1, name).number(2, unit);
        });
    }
    let thread_key = texts.number("thread");
    for (number, &stack) in (0..).zip(&book.stacks.all) {
        let Some(values) = snapshot.values.get(&number) else { continue };
        let thread = texts.number(book.threads.get(stack.thread).map_or("", String::as_str));
        profile.message(2, |sample| {
            let mut at = stack.node;
            let mut locations = Vec::new();
            while let Some(node) = book.nodes.get(at).filter(|_| at != 0) {
                locations.push(u64::from(node.frame) + 1);
                at = node.parent;
            }
            sample.numbers(1, locations);
            sample.numbers(2, kinds.iter().map(|&(kind, _)| values.get(kind).copied().unwrap_or(0)));
            sample.message(3, |label| {
                label.number(1, thread_key).number(2, thread);
            });
        });
    }
    let mut mappings: HashMap<&str, u64> = HashMap::new();
    for function in &book.functions.all {
        let next = mappings.len() as u64 + 1;
        let id = *mappings.entry(&function.object).or_insert(next);
        if id == next {
            let file = texts.number(&function.object);
            profile.message(3, |mapping| {
                // Functions, file names, lines, and inlined frames are there: nobody need look for them.
                mapping.number(1, id).number(5, file).number(7, 1).number(8, 1).number(9, 1).number(10, 1);
            });
        }
    }
    for (id, frame) in (1..).zip(&book.frames.all) {
        let object = book.function(*frame).and_then(|function| mappings.get(function.object.as_str()));
        profile.message(4, |location| {
            location.number(1, id).number(2, object.copied().unwrap_or(0)).message(4, |line| {
                line.number(1, u64::from(frame.function) + 1).number(2, frame.line.into());
            });
        });
    }
    for (id, function) in (1..).zip(&book.functions.all) {
        let (name, file) = (texts.number(&function.name), texts.number(&function.file));
        profile.message(5, |message| {
            message.number(1, id).number(2, name).number(3, name).number(4, file);
        });
    }
    let (space, bytes, default) = (texts.number("space"), texts.number("bytes"), texts.number(name(0)));
    for text in &texts.all {
        profile.raw(6, text.as_bytes());
    }
    profile.number(9, (snapshot.time * 1e9) as u64).message(11, |period| {
        period.number(1, space).number(2, bytes);
    });
    profile.number(12, snapshot.period).number(14, default);
    let mut zip = GzEncoder::new(Vec::new(), Compression::default());
    zip.write_all(&profile.bytes).context("gzip")?;
    zip.finish().context("gzip")
}

fn is_peak(kind: usize) -> bool {
    kind >= 4
}

fn name(kind: usize) -> &'static str {
    KINDS.get(kind).map_or("", |(name, _)| name)
}

/// A line a stack, outermost call first: `thread;main;f 4096`, as flame graph programs take it. `kind`: of `KINDS`.
pub(crate) fn folded(book: &Book, snapshot: &Snapshot, kind: usize) -> String {
    let mut lines = Vec::new();
    for (number, &stack) in (0..).zip(&book.stacks.all) {
        let value = snapshot.values.get(&number).and_then(|values| values.get(kind)).copied().unwrap_or(0);
        if value == 0 {
            continue;
        }
        let mut names: Vec<String> = book
            .frames(stack)
            .filter_map(|(_, frame)| book.function(frame))
            .map(|function| plain(&function.name))
            .collect();
        names.push(plain(book.threads.get(stack.thread).map_or("", String::as_str)));
        names.reverse();
        lines.push(format!("{} {value}\n", names.join(";")));
    }
    lines.sort();
    lines.concat()
}

/// A semicolon or a line's end would begin another frame or stack.
fn plain(name: &str) -> String {
    name.replace(';', ":").replace(['\n', '\r'], " ")
}
