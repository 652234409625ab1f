//! The two tables of `hakmem top`: by class and by thread. A column is a heading, a figure to sort by, and how that is shown.

use super::report::{Class, Report, Thread};
use crate::units;

/// One cell: how it is shown, and by what it is sorted.
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) order: f64,
}

/// A line of a table: what it is filtered by, and its cells.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) cells: Vec<Cell>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Classes,
    Threads,
}

const CLASSES: [&str; 9] = ["block", "live", "blocks", "cached", "free", "pinned", "resident", "used", "refills/s"];
const THREADS: [&str; 8] = ["thread", "name", "live", "cached", "free", "remote", "refills/s", "sends/s"];

impl Kind {
    pub(crate) fn headings(self) -> &'static [&'static str] {
        match self {
            Kind::Classes => &CLASSES,
            Kind::Threads => &THREADS,
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Kind::Classes => "by size class",
            Kind::Threads => "by thread",
        }
    }

    /// The column that a table is sorted by to begin with.
    pub(crate) fn first_order(self) -> usize {
        match self {
            Kind::Classes => 6,
            Kind::Threads => 2,
        }
    }

    /// Whether a column is a name: to the left, and sorted as one.
    pub(crate) fn is_name(self, column: usize) -> bool {
        self == Kind::Threads && column == 1
    }

    pub(crate) fn rows(self, report: &Report) -> Vec<Row> {
        match self {
            Kind::Classes => report.classes.iter().map(class).chain(large(report)).collect(),
            Kind::Threads => report.threads.iter().map(thread).collect(),
        }
    }
}

fn bytes(value: u64) -> Cell {
    Cell { text: if value == 0 { "·".to_owned() } else { units::bytes(value as f64) }, order: value as f64 }
}

fn count(value: u64) -> Cell {
    Cell { text: if value == 0 { "·".to_owned() } else { units::count(value) }, order: value as f64 }
}

fn rate(value: f64) -> Cell {
    Cell { text: if value < 1.0 { "·".to_owned() } else { units::bytes(value) }, order: value }
}

fn share(part: u64, whole: u64) -> Cell {
    let share = if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    Cell { text: format!("{:.0} %", share * 100.0), order: share }
}

fn class(class: &Class) -> Row {
    let size = class.block_size;
    let of = |blocks: u64| bytes(blocks * size);
    Row {
        name: size.to_string(),
        cells: vec![
            Cell { text: units::count(size), order: size as f64 },
            of(class.live),
            count(class.live),
            of(class.cached + class.remote),
            of(class.free),
            bytes(class.pinned_bytes),
            bytes(class.resident_bytes),
            share(class.live, class.blocks),
            rate(class.refilled_bytes_per_second),
        ],
    }
}

/// The large blocks, of all sizes together.
fn large(report: &Report) -> Option<Row> {
    let totals = &report.totals;
    (totals.large_live_blocks > 0).then(|| Row {
        name: "large".to_owned(),
        cells: vec![
            Cell { text: "large".to_owned(), order: f64::MAX },
            bytes(totals.large_live_bytes),
            count(totals.large_live_blocks),
            bytes(0),
            bytes(0),
            bytes(0),
            bytes(report.resident.large_bytes),
            share(1, 1),
            rate(0.0),
        ],
    })
}

fn thread(thread: &Thread) -> Row {
    let number = if thread.tid == 0 { "·".to_owned() } else { thread.tid.to_string() };
    Row {
        name: format!("{} {}", thread.tid, thread.name),
        cells: vec![
            Cell { text: number, order: f64::from(thread.tid) },
            Cell { text: thread.name.clone(), order: 0.0 },
            bytes(thread.live_bytes),
            bytes(thread.cached_bytes),
            bytes(thread.free_bytes),
            bytes(thread.remote_bytes),
            rate(thread.refilled_bytes_per_second),
            rate(thread.sent_bytes_per_second),
        ],
    }
}

/// Only rows whose name has `filter` in it, in order.
pub(crate) fn arrange(mut rows: Vec<Row>, kind: Kind, order: usize, rising: bool, filter: &str) -> Vec<Row> {
    let filter = filter.to_lowercase();
    rows.retain(|row| row.name.to_lowercase().contains(&filter));
    rows.sort_by(|one, other| {
        let by = |row: &Row| row.cells.get(order).map_or(0.0, |cell| cell.order);
        let text = |row: &Row| row.cells.get(order).map(|cell| cell.text.to_lowercase()).unwrap_or_default();
        if kind.is_name(order) { text(one).cmp(&text(other)) } else { by(other).total_cmp(&by(one)) }
    });
    if rising {
        rows.reverse();
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let class =
            |block_size, live, pinned_bytes| Class { block_size, live, pinned_bytes, blocks: 10, ..Class::default() };
        let thread =
            |name: &str, tid| Thread { name: name.to_owned(), tid, live_bytes: tid as u64, ..Thread::default() };
        Report {
            classes: vec![class(16, 9, 5), class(64, 1, 7), class(2048, 5, 0)],
            threads: vec![thread("beta", 12), thread("Alpha", 11), thread("gamma", 13)],
            ..Report::default()
        }
    }

    fn first(kind: Kind, order: usize, rising: bool, filter: &str) -> Vec<String> {
        let rows = arrange(kind.rows(&report()), kind, order, rising, filter);
        rows.iter().map(|row| row.cells.first().map(|cell| cell.text.clone()).unwrap_or_default()).collect()
    }

    #[test]
    fn rows_are_sorted_and_filtered() {
        assert_eq!(first(Kind::Classes, 0, false, ""), ["2,048", "64", "16"]);
        assert_eq!(first(Kind::Classes, 5, false, ""), ["64", "16", "2,048"]);
        assert_eq!(first(Kind::Classes, 2, true, "6"), ["64", "16"]);
        assert_eq!(first(Kind::Threads, 1, false, ""), ["11", "12", "13"]);
        assert_eq!(first(Kind::Threads, 2, false, "ALPH"), ["11"]);
        for kind in [Kind::Classes, Kind::Threads] {
            assert!(kind.rows(&report()).iter().all(|row| row.cells.len() == kind.headings().len()));
        }
    }
}
