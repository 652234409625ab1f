//! The totals as one JSON object. Keys are stable: docs/STATISTICS.md lists them, and a change of meaning raises `SCHEMA`.
#![forbid(unsafe_code)]

use super::table::{BY_CLASS, TABLE};
use super::totals::Totals;
use crate::arena;
use crate::class::ClassId;
use crate::config;
use crate::os;
use crate::stats::text::Text;

/// Raised when a key changes its meaning or goes; new keys may come without.
const SCHEMA: u64 = 1;

/// Writes the object and a newline.
pub(crate) fn write_json(text: &mut Text) {
    let totals = Totals::take();
    let now = os::realtime_ms();
    text.str("{\"schema\": ").num(SCHEMA);
    text.str(", \"allocator\": \"hakmem\", \"version\": \"").str(env!("CARGO_PKG_VERSION"));
    text.str("\", \"program\": ").quoted(os::env::program());
    text.str(", \"pid\": ").num(os::process_id()).str(", \"time\": ").num(now / 1000).str(".");
    for digit in [100, 10, 1] {
        text.num(now % 1000 / digit % 10);
    }
    text.str(",\n \"options\": {");
    for (index, name) in config::names().enumerate() {
        text.str(if index > 0 { ", " } else { "" }).quoted(name.as_bytes()).str(": \"");
        config::write(
            name.as_bytes(),
            &mut Text::to(&mut |value| {
                text.escaped(value);
            }),
        );
        text.str("\"");
    }
    text.str("},\n \"totals\": {");
    for (index, row) in TABLE.iter().enumerate() {
        key(text, index, row.name()).num(row.value(&totals));
    }
    text.str("},\n \"classes\": [");
    classes(text, &totals);
    text.str("],\n \"arenas\": [");
    arenas(text);
    text.str("]}\n");
}

#[inline(never)] // for the stack
fn classes(text: &mut Text, totals: &Totals) {
    for (index, (class, total)) in totals.in_use().enumerate() {
        text.str(if index > 0 { ",\n  {" } else { "\n  {" }).str("\"class\": ").num(class.index() as u64);
        text.str(", \"block_size\": ").num(ClassId::block_size(class) as u64);
        text.str(", \"utilisation\": ").ratio(total.live(), total.blocks);
        for column in &BY_CLASS {
            key(text, 1, column.name()).num(column.of_class(total));
        }
        text.str("}");
    }
}

/// Arenas that a report lists, the newest ones: each is found from the newest on.
const ARENAS: usize = 256;

#[inline(never)] // for the stack
fn arenas(text: &mut Text) {
    for (index, arena) in (0..ARENAS).map_while(|number| Some((number, arena::nth(number)?))) {
        let len = arena.name.iter().position(|&byte| byte == 0).unwrap_or(0);
        text.str(if index > 0 { ",\n  {" } else { "\n  {" }).str("\"name\": ");
        text.quoted(arena.name.get(..len).unwrap_or_default());
        for (name, figure) in [
            ("live_bytes", arena.live_bytes),
            ("live_blocks", arena.live_blocks),
            ("held_bytes", arena.held_bytes),
            ("limit", arena.limit),
            ("resets", arena.resets),
            ("refused", arena.refused),
        ] {
            key(text, 1, name).num(figure);
        }
        text.str("}");
    }
}

fn key<'a, 't>(text: &'a mut Text<'t>, index: usize, name: &str) -> &'a mut Text<'t> {
    text.str(if index > 0 { ", \"" } else { "\"" }).str(name).str("\": ")
}
