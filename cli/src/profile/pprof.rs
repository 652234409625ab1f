//! A profile as pprof's form has it, read: what the library writes, what Go's tools write, gzipped or not.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::wire::{Value, fields};
use crate::error::{Context, Error, Result};

/// No file of ours comes near; one that claims to is no profile.
const MAX_BYTES: u64 = 4 << 30;

#[derive(Default)]
pub(crate) struct Raw {
    /// Kind and unit of each of a sample's values.
    pub(crate) kinds: Vec<(String, String)>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) mappings: HashMap<u64, Mapping>,
    pub(crate) locations: HashMap<u64, Location>,
    pub(crate) functions: HashMap<u64, Function>,
    pub(crate) comments: Vec<String>,
    /// The program: the first mapping's file.
    pub(crate) program: Option<String>,
    /// Since 1970.
    pub(crate) time_nanos: u64,
    pub(crate) period: u64,
}

#[derive(Default)]
pub(crate) struct Sample {
    /// Innermost first.
    pub(crate) locations: Vec<u64>,
    pub(crate) values: Vec<u64>,
    pub(crate) thread: String,
}

#[derive(Clone, Default)]
pub(crate) struct Mapping {
    pub(crate) start: u64,
    pub(crate) offset: u64,
    pub(crate) file: String,
    pub(crate) build_id: String,
}

#[derive(Default)]
pub(crate) struct Location {
    pub(crate) mapping: u64,
    pub(crate) address: u64,
    /// Function and line, inlined ones first; empty where nobody looked yet.
    pub(crate) lines: Vec<(u64, u64)>,
}

#[derive(Default)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) file: String,
}

impl Raw {
    pub(crate) fn read(path: &Path) -> Result<Raw> {
        let bytes = fs::read(path).context(path.display())?;
        Raw::parse(&bytes).map_err(|what| Error::new(format!("{}: {what}", path.display())))
    }

    /// The error: what is wrong with it.
    pub(crate) fn parse(bytes: &[u8]) -> std::result::Result<Raw, String> {
        let mut unzipped = Vec::new();
        let mut message = bytes;
        if bytes.starts_with(b"\x1f\x8b") {
            let read = MultiGzDecoder::new(bytes).take(MAX_BYTES).read_to_end(&mut unzipped);
            read.map_err(|error| format!("not whole: {error}"))?;
            message = &unzipped;
        }
        // Texts come in any place, so they are collected before anything that names them.
        let mut texts = Vec::new();
        let mut all = fields(message);
        for (field, value) in all.by_ref() {
            if field == 6 {
                texts.push(String::from_utf8_lossy(value.bytes()).into_owned());
            }
        }
        if all.broken() || texts.is_empty() {
            return Err("it is no profile in pprof's form".to_owned());
        }
        let mut raw = Raw::default();
        let text = |value: &Value| texts.get(value.number() as usize).cloned().unwrap_or_default();
        for (field, value) in fields(message) {
            match field {
                1 => raw.kinds.push(kind(value.bytes(), &text)),
                2 => raw.samples.push(sample(value.bytes(), &text)),
                3 => {
                    let (id, mapping) = mapping(value.bytes(), &text);
                    raw.program.get_or_insert_with(|| mapping.file.clone());
                    raw.mappings.insert(id, mapping);
                }
                4 => raw.locations.extend([location(value.bytes())]),
                5 => raw.functions.extend([function(value.bytes(), &text)]),
                9 => raw.time_nanos = value.number(),
                12 => raw.period = value.number(),
                13 => {
                    let mut numbers = Vec::new();
                    value.numbers_into(&mut numbers);
                    raw.comments.extend(numbers.into_iter().map(|number| text(&Value::Number(number))));
                }
                _ => {}
            }
        }
        Ok(raw)
    }

    /// The place among a sample's values of one kind.
    pub(crate) fn column(&self, kind: &str) -> Option<usize> {
        self.kinds.iter().position(|(name, _)| name == kind)
    }
}

fn kind(message: &[u8], text: &impl Fn(&Value) -> String) -> (String, String) {
    let (mut name, mut unit) = Default::default();
    for (field, value) in fields(message) {
        match field {
            1 => name = text(&value),
            2 => unit = text(&value),
            _ => {}
        }
    }
    (name, unit)
}

fn sample(message: &[u8], text: &impl Fn(&Value) -> String) -> Sample {
    let mut sample = Sample::default();
    for (field, value) in fields(message) {
        match field {
            1 => value.numbers_into(&mut sample.locations),
            2 => value.numbers_into(&mut sample.values),
            3 => {
                let (mut key, mut label) = Default::default();
                for (field, value) in fields(value.bytes()) {
                    match field {
                        1 => key = text(&value),
                        2 => label = text(&value),
                        _ => {}
                    }
                }
                if key == "thread" {
                    sample.thread = label;
                }
            }
            _ => {}
        }
    }
    sample
}

fn mapping(message: &[u8], text: &impl Fn(&Value) -> String) -> (u64, Mapping) {
    let (mut id, mut mapping) = (0, Mapping::default());
    for (field, value) in fields(message) {
        match field {
            1 => id = value.number(),
            2 => mapping.start = value.number(),
            4 => mapping.offset = value.number(),
            5 => mapping.file = text(&value),
            6 => mapping.build_id = text(&value),
            _ => {}
        }
    }
    (id, mapping)
}

fn location(message: &[u8]) -> (u64, Location) {
    let (mut id, mut location) = (0, Location::default());
    for (field, value) in fields(message) {
        match field {
            1 => id = value.number(),
            2 => location.mapping = value.number(),
            3 => location.address = value.number(),
            4 => {
                let (mut function, mut line) = (0, 0);
                for (field, value) in fields(value.bytes()) {
                    match field {
                        1 => function = value.number(),
                        2 => line = value.number(),
                        _ => {}
                    }
                }
                location.lines.push((function, line));
            }
            _ => {}
        }
    }
    (id, location)
}

fn function(message: &[u8], text: &impl Fn(&Value) -> String) -> (u64, Function) {
    let (mut id, mut function) = (0, Function::default());
    for (field, value) in fields(message) {
        match field {
            1 => id = value.number(),
            2 => function.name = text(&value),
            4 => function.file = text(&value),
            _ => {}
        }
    }
    (id, function)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_profile_is_said() {
        for bytes in [&b""[..], b"main;f 12\n", b"\x1f\x8b\x08", b"\x7fELF"] {
            assert!(Raw::parse(bytes).is_err(), "{bytes:?}");
        }
    }
}
