//! From `NAME=value` to a knob; what can't be read is named once, and what stood before stays.
#![forbid(unsafe_code)]

use super::knobs::{self, find};
use super::value::{Place, Setting};
use crate::stats::text::Text;

const PREFIX: &[u8] = b"HAKMEM_";

/// Takes one variable of the environment; those of other programs are passed over.
pub(super) fn accept(variable: &[u8]) {
    if variable.starts_with(PREFIX) {
        let (name, value) = halves(variable);
        set(find(name), "", name, value);
    }
}

/// Takes what the program says of itself: `decay_ms=100,thp=never`, names without the prefix. If there is a `;` it parts them
/// instead, for a value that holds commas.
pub(super) fn accept_list(list: &[u8]) {
    let between = if list.contains(&b';') { b';' } else { b',' };
    for entry in list.split(|&byte| byte == between) {
        let (name, value) = halves(entry.trim_ascii());
        let of_this_name = |setting: &Setting| {
            setting.name().as_bytes().strip_prefix(PREFIX).is_some_and(|known| known.eq_ignore_ascii_case(name))
        };
        if !name.is_empty() {
            set(knobs::all().find(of_this_name), "hak_options: ", name, value);
        }
    }
}

fn halves(entry: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = entry.splitn(2, |&byte| byte == b'=');
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// Sets it, or says what of `name=value`, found at `place`, can't be.
fn set(setting: Option<Setting>, place: &str, name: &[u8], value: &[u8]) {
    let Some(setting) = setting else {
        Text::stderr()
            .str("hakmem: ")
            .str(place)
            .str("unknown option ")
            .bytes(name)
            .str(" (HAKMEM_HELP=1 lists them)\n");
        return;
    };
    if !setting.set(value) {
        let mut text = Text::stderr();
        text.str("hakmem: ").str(place).bytes(name).str("=").bytes(value).str(" is not in ");
        setting.write_range(&mut text);
        text.str("; using ");
        // What it is: the default, or what the program said.
        setting.write_value(&mut text);
        text.str("\n");
    }
}

pub(super) fn print_help() {
    let mut text = Text::stderr();
    text.str("hakmem: options, read from the environment at start\n");
    for setting in knobs::all().filter(|setting| setting.place() != Place::Test) {
        text.str("  ").str(setting.name()).str("=");
        setting.write_default(&mut text);
        text.str("  (");
        setting.write_range(&mut text);
        let end = if setting.place() == Place::Live { "; also while running)\n     " } else { ")\n     " };
        text.str(end).str(setting.help()).str("\n");
    }
}
