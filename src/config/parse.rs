//! From `NAME=value` to a knob; what can't be read is named once and the default stays.
#![forbid(unsafe_code)]

use super::knobs::KNOBS;
use super::value::Knob;
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
    match super::find(name) {
        None => {
            let mut text = Text::stderr();
            text.str("hakmem: unknown option ").bytes(name).str(" (HAKMEM_HELP=1 lists them)\n");
        }
        Some(knob) => {
            if !knob.set(value) {
                complain(knob, value);
            }
        }
    }
}

fn complain(knob: &Knob, value: &[u8]) {
    let mut text = Text::stderr();
    text.str("hakmem: ").str(knob.name).str("=").bytes(value).str(" is not in ");
    knob.write_range(&mut text);
    text.str("; using ");
    knob.write_default(&mut text);
    text.str("\n");
}

pub(super) fn print_help() {
    let mut text = Text::stderr();
    text.str("hakmem: options, read from the environment at start\n");
    for knob in &KNOBS {
        text.str("  ").str(knob.name).str("=");
        knob.write_default(&mut text);
        text.str("  (");
        knob.write_range(&mut text);
        text.str(if knob.live { "; also while running)\n     " } else { ")\n     " }).str(knob.help).str("\n");
    }
}
