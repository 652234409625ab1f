//! Of box `report` whose turn it is to write one. What is written is a number.

pub mod model;
#[path = "../../../../src/report/output.rs"]
pub(crate) mod output;

use std::cell::Cell;

use crate::os::{lock, signal};
use crate::stats::text::Text;

thread_local! {
    static WRITTEN: Cell<u32> = const { Cell::new(0) };
}

/// Starts a new execution.
pub(crate) fn reset() {
    WRITTEN.set(0);
    signal::forget();
}

fn write_text(_: &mut Text) {
    WRITTEN.set(WRITTEN.get() + 1);
}

fn write_json(out: &mut Text) {
    write_text(out);
}

fn write_prometheus(out: &mut Text) {
    write_text(out);
}
