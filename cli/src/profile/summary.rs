//! A profile in a terminal's few lines, and as JSON.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::book::{Book, Frame, KINDS, Snapshot, Stack};
use super::sites::site;
use crate::output::shorten;
use crate::table::{Align, Table};
use crate::units;

const SITES: usize = 10;
const NAME_WIDTH: usize = 64;

/// What it holds in total, and the places that hold most, by what is shown first: `kind` of `KINDS`.
pub(crate) fn text(book: &Book, snapshot: &Snapshot, kind: usize) -> String {
    let totals = book.totals(snapshot);
    let [live, live_blocks, allocated, blocks, ..] = totals;
    let mut out = format!(
        "live {} in {} blocks, of {} allocated in {}\n",
        units::bytes(live as f64),
        units::count(live_blocks),
        units::bytes(allocated as f64),
        units::count(blocks)
    );
    let mut sites: HashMap<Option<Frame>, (u64, u64)> = HashMap::new();
    for (&number, values) in &snapshot.values {
        let frame = book.stacks.get(number).and_then(|&stack| site(book, stack)).map(|(_, frame)| frame);
        let value = |kind: usize| values.get(kind).copied().unwrap_or(0);
        let (bytes, blocks) = sites.entry(frame).or_default();
        *bytes += value(kind);
        *blocks += value(kind + 1);
    }
    let mut sites: Vec<_> = sites.into_iter().filter(|(_, (bytes, _))| *bytes > 0).collect();
    sites.sort_by_key(|(frame, (bytes, _))| (Reverse(*bytes), frame.map(|frame| (frame.function, frame.line))));
    let whole = totals.get(kind).copied().unwrap_or(0);
    let mut table = Table::new(&[Align::Right, Align::Right, Align::Right, Align::Left]);
    table.row([KINDS.get(kind).map_or("", |(_, title)| title), "", "blocks", "from"]);
    for (frame, (bytes, blocks)) in sites.into_iter().take(SITES) {
        let share = bytes as f64 * 100.0 / whole.max(1) as f64;
        let place = frame.map_or_else(|| "[stack not known]".to_owned(), |frame| place(book, frame));
        table.row([units::bytes(bytes as f64), format!("{share:.1} %"), units::count(blocks), place]);
    }
    if whole > 0 {
        out += &table.text("  ");
    }
    out
}

/// `app::load (load.rs:40)`.
fn place(book: &Book, frame: Frame) -> String {
    let Some(function) = book.function(frame) else { return String::new() };
    let name = shorten(&function.name, NAME_WIDTH);
    let base = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    match frame.line {
        0 => format!("{name} ({})", base(&function.object)),
        line => format!("{name} ({}:{line})", base(&function.file)),
    }
}

/// Every stack with its frames and figures, the largest live first.
pub(crate) fn json(book: &Book, title: &str) -> Value {
    let profiles: Vec<Value> = book.snapshots.iter().map(|snapshot| profile(book, snapshot)).collect();
    json!({ "schema": 1, "title": title, "profiles": profiles })
}

fn profile(book: &Book, snapshot: &Snapshot) -> Value {
    let mut stacks: Vec<_> = snapshot.values.iter().collect();
    stacks.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let stacks: Vec<Value> = stacks
        .into_iter()
        .filter_map(|(&number, values)| {
            let stack = *book.stacks.get(number)?;
            let mut one = figures(values, snapshot.has_peak);
            one.insert("thread".to_owned(), book.threads.get(stack.thread).cloned().into());
            one.insert("frames".to_owned(), frames(book, stack).into());
            Some(Value::Object(one))
        })
        .collect();
    json!({
        "title": snapshot.title,
        "time": snapshot.time,
        "rate": snapshot.period,
        "lost": snapshot.lost,
        "totals": figures(&book.totals(snapshot), snapshot.has_peak),
        "stacks": stacks,
    })
}

fn figures(values: &[u64], peak: bool) -> Map<String, Value> {
    let names = KINDS.iter().zip(values).take(if peak { KINDS.len() } else { 4 });
    names.map(|((name, _), &value)| ((*name).to_owned(), value.into())).collect()
}

fn frames(book: &Book, stack: Stack) -> Vec<Value> {
    let frames = book.frames(stack).filter_map(|(_, frame)| {
        let function = book.function(frame)?;
        let line = (frame.line > 0).then_some(frame.line);
        Some(json!({
            "function": function.name,
            "file": function.file,
            "line": line,
            "object": function.object,
            "inlined": frame.inlined,
        }))
    });
    frames.collect()
}
