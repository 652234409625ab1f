//! From `NAME=value` to a knob; what can't be read is named once and the default stays.
#![forbid(unsafe_code)]

use super::knobs::{KNOBS, Knob};
use crate::stats::text::Text;

const PREFIX: &[u8] = b"HAKMEM_";

/// Takes one variable of the environment; those of other programs are passed over.
pub(super) fn accept(variable: &[u8]) {
    if !variable.starts_with(PREFIX) {
        return;
    }
    let mut parts = variable.splitn(2, |&byte| byte == b'=');
    let name = parts.next().unwrap_or_default();
    let value = parts.next().unwrap_or_default();
    match KNOBS.iter().find(|knob| knob.name.as_bytes() == name) {
        None => {
            let mut text = Text::stderr();
            text.str("hakmem: unknown option ").bytes(name).str(" (HAKMEM_HELP=1 lists them)\n");
        }
        Some(knob) => match number(value).filter(|value| (knob.min..=knob.max).contains(value)) {
            Some(value) => knob.set(value),
            None => complain(knob, value),
        },
    }
}

fn complain(knob: &Knob, value: &[u8]) {
    let mut text = Text::stderr();
    text.str("hakmem: ").str(knob.name).str("=").bytes(value).str(" is not a number in ");
    text.int(knob.min).str("..").int(knob.max).str("; using ").int(knob.default).str("\n");
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

pub(super) fn print_help() {
    let mut text = Text::stderr();
    text.str("hakmem: options, read from the environment at start\n");
    for knob in &KNOBS {
        text.str("  ").str(knob.name).str("=").int(knob.default);
        text.str("  (").int(knob.min).str("..").int(knob.max).str(")\n     ").str(knob.help).str("\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_whole_or_not_at_all() {
        for (text, value) in [("0", 0), ("1024", 1024), ("-1", -1), ("0xF", 15), ("0Xff", 255)] {
            assert_eq!(number(text.as_bytes()), Some(value));
        }
        for text in ["", "-", "0x", "1k", "abc", " 1", "1.5", "99999999999999999999", "0xg"] {
            assert_eq!(number(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn every_knob_starts_at_a_default_within_its_range_and_names_are_unique() {
        for (index, knob) in KNOBS.iter().enumerate() {
            assert!(knob.name.starts_with("HAKMEM_") && (knob.min..=knob.max).contains(&knob.default));
            assert!(KNOBS.iter().skip(index + 1).all(|other| other.name != knob.name));
        }
    }
}
