//! `Knob`: one switch, the values it takes, and the value it has.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicI64, AtomicU8, AtomicUsize, Ordering};

use crate::os::gate;
use crate::os::lock::Mutex;
use crate::stats::text::Text;

/// Bytes of a text that are kept.
pub(crate) const TEXT_MAX: usize = 255;

/// What a switch may be set to.
pub(crate) enum Kind {
    /// A whole number, decimal or 0x hexadecimal, possibly negative.
    Number { default: i64, min: i64, max: i64 },
    /// Bytes: a whole number, with K, M, G or T behind it for powers of 1024.
    Bytes { default: i64 },
    /// One of some names; the value is its index.
    Choice { default: &'static str, names: &'static [&'static str] },
    /// A text of up to `TEXT_MAX` bytes and of this shape (see `fits`); the value is 1 if it differs from the default.
    Text { default: &'static str, shape: &'static str, store: &'static Store },
}

/// Where a switch is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Read at start.
    Start,
    /// May be changed after that.
    Live,
    /// Read at start, in tests.
    Test,
}

pub(crate) struct Knob {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) help: &'static str,
    pub(super) place: Place,
    value: AtomicI64,
}

/// Where a text is copied to: the environment is the program's, and it may overwrite it. Under `TEXTS`.
pub(crate) struct Store {
    bytes: [AtomicU8; TEXT_MAX],
    len: AtomicUsize,
}

/// Held while a text is read or written, lest a reader sees half of two. A leaf lock.
static TEXTS: Mutex<()> = Mutex::new(());

impl Knob {
    pub(super) const fn new(name: &'static str, kind: Kind, help: &'static str, place: Place) -> Knob {
        let value = match kind {
            Kind::Number { default, .. } | Kind::Bytes { default } => default,
            // Index 0; a test holds the tables to that.
            Kind::Choice { .. } | Kind::Text { .. } => 0,
        };
        Knob { name, kind, help, place, value: AtomicI64::new(value) }
    }

    /// Takes a value as the environment writes it; `false` if it is none of this switch's.
    pub(crate) fn set(&self, text: &[u8]) -> bool {
        let _inside = gate::enter_later();
        let _whole = matches!(self.kind, Kind::Text { .. }).then(|| TEXTS.lock());
        let value = match &self.kind {
            Kind::Number { min, max, .. } => number(text).filter(|value| (*min..=*max).contains(value)),
            Kind::Bytes { .. } => bytes(text),
            Kind::Choice { names, .. } => {
                names.iter().position(|name| name.as_bytes() == text).map(|index| index as i64)
            }
            Kind::Text { default, shape, store } => {
                (fits(shape, text) && store.copy(text)).then_some((text != default.as_bytes()) as i64)
            }
        };
        if let Some(value) = value {
            self.put(value);
        }
        value.is_some()
    }

    /// Takes a value that is one of this switch's.
    pub(super) fn put(&self, value: i64) {
        // Relaxed: published by `READY` in mod.rs; a later change publishes nothing but itself.
        self.value.store(value, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> i64 {
        // Relaxed: see `set`; a caller without a heap asked `ready` first.
        self.value.load(Ordering::Relaxed)
    }

    /// A text's bytes, in `buffer`; the default's where none was set.
    pub(crate) fn text<'a>(&self, buffer: &'a mut [u8; TEXT_MAX]) -> &'a [u8] {
        let Kind::Text { default, store, .. } = &self.kind else { return &[] };
        let Some(_inside) = gate::enter_later() else { return default.as_bytes() };
        let _whole = TEXTS.lock();
        if self.get() == 0 {
            return default.as_bytes();
        }
        for (to, from) in buffer.iter_mut().zip(&store.bytes) {
            // Relaxed: the lock orders them.
            *to = from.load(Ordering::Relaxed);
        }
        buffer.get(..store.len.load(Ordering::Relaxed)).unwrap_or_default()
    }

    /// The value, as one would set it.
    pub(super) fn write_value(&self, out: &mut Text) {
        match &self.kind {
            Kind::Number { .. } | Kind::Bytes { .. } => out.int(self.get()),
            Kind::Choice { default, names } => out.str(names.get(self.get() as usize).unwrap_or(default)),
            Kind::Text { .. } => out.bytes(self.text(&mut [0; TEXT_MAX])),
        };
    }

    /// The default, as one would set it.
    pub(super) fn write_default(&self, out: &mut Text) {
        match &self.kind {
            Kind::Number { default, .. } | Kind::Bytes { default } => out.int(*default),
            Kind::Choice { default, .. } | Kind::Text { default, .. } => out.str(default),
        };
    }

    /// The values it takes: `0..1`, `bytes`, `auto|never`, `text`, or a text's shape.
    pub(super) fn write_range(&self, out: &mut Text) {
        match &self.kind {
            Kind::Number { min, max, .. } => {
                out.int(*min).str("..").int(*max);
            }
            Kind::Bytes { .. } => {
                out.str("bytes");
            }
            Kind::Choice { names, .. } => {
                for (index, name) in names.iter().enumerate() {
                    out.str(if index > 0 { "|" } else { "" }).str(name);
                }
            }
            Kind::Text { shape, .. } => {
                out.str(if shape.is_empty() { "text" } else { shape });
            }
        }
    }
}

impl Store {
    pub(super) const fn new() -> Store {
        Store { bytes: [const { AtomicU8::new(0) }; TEXT_MAX], len: AtomicUsize::new(0) }
    }

    fn copy(&self, text: &[u8]) -> bool {
        if text.len() > TEXT_MAX {
            return false;
        }
        for (to, &from) in self.bytes.iter().zip(text) {
            to.store(from, Ordering::Relaxed);
        }
        self.len.store(text.len(), Ordering::Relaxed);
        true
    }
}

/// Whether a text has a shape: one of its alternatives between `|`. `PATH` at the end of one stands for any bytes, at
/// least one; the empty shape is any text's.
fn fits(shape: &str, text: &[u8]) -> bool {
    shape.is_empty()
        || shape.as_bytes().split(|&byte| byte == b'|').any(|alternative| match alternative.strip_suffix(b"PATH") {
            Some(start) => text.strip_prefix(start).is_some_and(|rest| !rest.is_empty()),
            None => text == alternative,
        })
}

/// A whole number, decimal or 0x hexadecimal, possibly negative.
fn number(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (base, digits) = match digits.strip_prefix(b"0x").or_else(|| digits.strip_prefix(b"0X")) {
        Some(rest) => (16, rest),
        None => (10, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value: i64 = 0;
    for &digit in digits {
        let digit = (digit as char).to_digit(base)?;
        value = value.checked_mul(base as i64)?.checked_add(digit as i64)?;
    }
    Some(if negative { -value } else { value })
}

/// A number of bytes, perhaps with K, M, G or T.
fn bytes(text: &[u8]) -> Option<i64> {
    let (digits, shift) = match text.split_last()? {
        (b'k' | b'K', digits) => (digits, 10),
        (b'm' | b'M', digits) => (digits, 20),
        (b'g' | b'G', digits) => (digits, 30),
        (b't' | b'T', digits) => (digits, 40),
        _ => (text, 0),
    };
    number(digits).filter(|value| *value >= 0)?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::super::knobs::KNOBS;
    use super::*;

    #[test]
    fn numbers_are_read_whole_or_not_at_all() {
        for (text, value) in [("0", 0), ("1024", 1024), ("-1", -1), ("0xF", 15), ("0Xff", 255)] {
            assert_eq!(number(text.as_bytes()), Some(value));
        }
        for text in ["", "-", "0x", "1k", "abc", " 1", "1.5", "99999999999999999999", "0xg"] {
            assert_eq!(number(text.as_bytes()), None, "{text}");
        }
        for (text, value) in [("0", 0), ("7", 7), ("4K", 4096), ("2m", 2 << 20), ("3G", 3 << 30), ("1T", 1 << 40)] {
            assert_eq!(bytes(text.as_bytes()), Some(value));
        }
        for text in ["", "K", "-1", "-1K", "1KB", "9999999999T", "1.5G"] {
            assert_eq!(bytes(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn every_knob_starts_at_a_default_within_its_range_and_names_are_unique() {
        for (index, knob) in KNOBS.iter().enumerate() {
            assert!(knob.name.starts_with("HAKMEM_"));
            assert!(KNOBS.iter().skip(index + 1).all(|other| other.name != knob.name));
            match &knob.kind {
                Kind::Number { default, min, max } => assert!((min..=max).contains(&default)),
                Kind::Bytes { default } => assert!(*default >= 0),
                Kind::Choice { default, names } => assert_eq!(names.first(), Some(default)),
                Kind::Text { default, shape, .. } => {
                    assert!(default.len() <= TEXT_MAX && fits(shape, default.as_bytes()));
                }
            }
        }
    }

    #[test]
    fn a_text_is_kept_and_a_bad_value_changes_nothing() {
        static STORE: Store = Store::new();
        let knob = Knob::new("HAKMEM_X", Kind::Text { default: "none", shape: "", store: &STORE }, "", Place::Live);
        let mut buffer = [0; TEXT_MAX];
        assert_eq!(knob.text(&mut buffer), b"none");
        assert!(knob.set(b"json:/tmp/x") && !knob.set(&[b'x'; TEXT_MAX + 1]));
        assert_eq!(knob.text(&mut buffer), b"json:/tmp/x");
        let choice =
            Knob::new("HAKMEM_Y", Kind::Choice { default: "auto", names: &["auto", "never"] }, "", Place::Start);
        assert!(choice.set(b"never") && !choice.set(b"perhaps"));
        assert_eq!(choice.get(), 1);
    }

    #[test]
    fn a_shape_admits_its_alternatives_and_no_other_text() {
        let shape = "0|1|json:PATH";
        for text in ["0", "1", "json:x", "json:/a|b", "json:PATH"] {
            assert!(fits(shape, text.as_bytes()), "{text}");
        }
        for text in ["", "2", "01", "json:", "json", "jsonx:/a", "prom:/a", "PATH", "0|1"] {
            assert!(!fits(shape, text.as_bytes()), "{text}");
        }
        assert!(fits("", b"") && fits("", b"anything"));
    }
}
