//! `Knob`: one switch, the values it takes, and the value it has.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicI64, AtomicU8, AtomicUsize, Ordering};

use crate::base::label::Label;
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
    /// One of some names, parted by `|`; the value is its index, and the first the default.
    Choice { names: Label<24> },
    /// A text of up to `TEXT_MAX` bytes and of this shape (see `fits`); the value is 1 if it differs from the default.
    Text { default: Label<24>, shape: Label<40> },
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

impl Kind {
    /// The value where nothing was set.
    pub(super) const fn default(&self) -> i64 {
        match self {
            Kind::Number { default, .. } | Kind::Bytes { default } => *default,
            Kind::Choice { .. } | Kind::Text { .. } => 0,
        }
    }
}

/// What is fixed of a switch.
pub(crate) struct Knob {
    name: Label<40>,
    kind: Kind,
    help: Label<168>,
    place: Place,
}

/// A switch, with the value it has.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    pub(super) knob: &'static Knob,
    pub(super) value: &'static AtomicI64,
    /// What its value is xored with there.
    pub(super) flip: i64,
    pub(super) store: &'static Store,
}

/// Where a text is copied to: the environment is the program's, and it may overwrite it. Under `TEXTS`.
pub(crate) struct Store {
    bytes: [AtomicU8; TEXT_MAX],
    len: AtomicUsize,
}

/// Held while a text is read or written, lest a reader sees half of two. A leaf lock.
static TEXTS: Mutex<()> = Mutex::new(());

impl Knob {
    pub(super) const fn new(name: &str, kind: Kind, help: &str, place: Place) -> Knob {
        Knob { name: Label::new(name), kind, help: Label::new(help), place }
    }

    pub(super) fn name(&self) -> &str {
        self.name.as_str()
    }
}

impl Setting {
    pub(super) fn name(self) -> &'static str {
        self.knob.name()
    }

    pub(super) fn help(self) -> &'static str {
        self.knob.help.as_str()
    }

    pub(super) fn place(self) -> Place {
        self.knob.place
    }

    /// Takes a value as the environment writes it; `false` if it is none of this switch's.
    pub(crate) fn set(self, text: &[u8]) -> bool {
        let _inside = gate::enter_later();
        let _whole = matches!(self.knob.kind, Kind::Text { .. }).then(|| TEXTS.lock());
        let value = match &self.knob.kind {
            Kind::Number { min, max, .. } => number(text).filter(|value| (*min..=*max).contains(value)),
            Kind::Bytes { .. } => bytes(text),
            Kind::Choice { names, .. } => choices(names).position(|name| name == text).map(|index| index as i64),
            Kind::Text { default, shape } => {
                (fits(shape.as_str(), text) && self.store.copy(text)).then_some((text != default.as_bytes()) as i64)
            }
        };
        if let Some(value) = value {
            self.put(value);
        }
        value.is_some()
    }

    /// Takes a value that is one of this switch's.
    pub(super) fn put(self, value: i64) {
        // Relaxed: published by `READY` in mod.rs; a later change publishes nothing but itself.
        self.value.store(value ^ self.flip, Ordering::Relaxed);
    }

    fn get(self) -> i64 {
        // Relaxed: as above.
        self.value.load(Ordering::Relaxed) ^ self.flip
    }

    /// A text's bytes, in `buffer`; the default's where none was set.
    pub(crate) fn text(self, buffer: &mut [u8; TEXT_MAX]) -> &[u8] {
        let Kind::Text { default, .. } = &self.knob.kind else { return &[] };
        // Looked at first: most processes set none, and need not touch the gate for that. What is stored of a default is the default.
        if self.get() == 0 {
            return default.as_bytes();
        }
        let Some(_inside) = gate::enter_later() else { return default.as_bytes() };
        let _whole = TEXTS.lock();
        for (to, from) in buffer.iter_mut().zip(&self.store.bytes) {
            // Relaxed: the lock orders them.
            *to = from.load(Ordering::Relaxed);
        }
        buffer.get(..self.store.len.load(Ordering::Relaxed)).unwrap_or_default()
    }

    /// The value, as one would set it.
    pub(super) fn write_value(self, out: &mut Text) {
        match &self.knob.kind {
            Kind::Number { .. } | Kind::Bytes { .. } => out.int(self.get()),
            Kind::Choice { names } => out.bytes(choices(names).nth(self.get() as usize).unwrap_or_default()),
            Kind::Text { .. } => out.bytes(self.text(&mut [0; TEXT_MAX])),
        };
    }

    /// The default, as one would set it.
    pub(super) fn write_default(self, out: &mut Text) {
        match &self.knob.kind {
            Kind::Number { default, .. } | Kind::Bytes { default } => out.int(*default),
            Kind::Choice { names } => out.bytes(choices(names).next().unwrap_or_default()),
            Kind::Text { default, .. } => out.bytes(default.as_bytes()),
        };
    }

    /// The values it takes: `0..1`, `bytes`, `auto|never`, `text`, or a text's shape.
    pub(super) fn write_range(self, out: &mut Text) {
        match &self.knob.kind {
            Kind::Number { min, max, .. } => {
                out.int(*min).str("..").int(*max);
            }
            Kind::Bytes { .. } => {
                out.str("bytes");
            }
            Kind::Choice { names } => {
                out.bytes(names.as_bytes());
            }
            Kind::Text { shape, .. } => {
                out.str(if shape.as_bytes().is_empty() { "text" } else { shape.as_str() });
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

/// The names of a choice.
fn choices(names: &Label<24>) -> impl Iterator<Item = &[u8]> {
    names.as_bytes().split(|&byte| byte == b'|')
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
    use super::super::knobs;
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
        for (index, setting) in knobs::all().enumerate() {
            assert!(setting.name().starts_with("HAKMEM_"));
            assert!(knobs::all().skip(index + 1).all(|other| other.name() != setting.name()));
            match &setting.knob.kind {
                Kind::Number { default, min, max } => assert!((min..=max).contains(&default)),
                Kind::Bytes { default } => assert!(*default >= 0),
                Kind::Choice { names } => assert!(choices(names).all(|name| !name.is_empty())),
                Kind::Text { default, shape } => {
                    assert!(default.as_bytes().len() <= TEXT_MAX && fits(shape.as_str(), default.as_bytes()));
                }
            }
        }
    }

    fn setting(kind: Kind) -> Setting {
        let knob = Box::leak(Box::new(Knob::new("HAKMEM_X", kind, "", Place::Live)));
        let value = Box::leak(Box::new(AtomicI64::new(0)));
        Setting { knob, value, flip: 0, store: Box::leak(Box::new(Store::new())) }
    }

    #[test]
    fn a_text_is_kept_and_a_bad_value_changes_nothing() {
        let text = setting(Kind::Text { default: Label::new("none"), shape: Label::new("") });
        let mut buffer = [0; TEXT_MAX];
        assert_eq!(text.text(&mut buffer), b"none");
        assert!(text.set(b"json:/tmp/x") && !text.set(&[b'x'; TEXT_MAX + 1]));
        assert_eq!(text.text(&mut buffer), b"json:/tmp/x");
        let choice = setting(Kind::Choice { names: Label::new("auto|never") });
        assert!(choice.set(b"never") && !choice.set(b"perhaps") && !choice.set(b"auto|never"));
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
