//! `hakmem top --once`: the screen's figures as plain text.

use super::parts::PARTS;
use super::report::Report;
use super::rows::{Kind, arrange};
use crate::table::{Align, Table};
use crate::units;

/// Rows of each table.
const ROWS: usize = 20;

pub(crate) fn text(report: &Report) -> String {
    let mut out = heading(report);
    out += "\n\nresident\n";
    let mut parts = Table::of_figures(3);
    let rss = report.resident.rss_bytes.max(1);
    for part in PARTS {
        let bytes = part.bytes(&report.resident);
        parts.row([
            part.name().to_owned(),
            units::bytes(bytes as f64),
            format!("{:.1} %", bytes as f64 / rss as f64 * 100.0),
        ]);
    }
    out += &parts.text("  ");
    for kind in [Kind::Classes, Kind::Threads] {
        let rows = arrange(kind.rows(report), kind, kind.first_order(), false, "");
        if rows.is_empty() {
            continue;
        }
        out += &format!("\n{}\n", kind.title());
        let align = |column: usize| if kind.is_name(column) { Align::Left } else { Align::Right };
        let columns: Vec<Align> = (0..kind.headings().len()).map(align).collect();
        let mut table = Table::new(&columns);
        table.row(kind.headings().iter().copied());
        let left_out = rows.len().saturating_sub(ROWS);
        for row in rows.into_iter().take(ROWS) {
            table.row(row.cells.into_iter().map(|cell| cell.text));
        }
        out += &table.text("  ");
        if left_out > 0 {
            out += &format!("  and {left_out} more (--json has all)\n");
        }
    }
    out
}

/// The first line.
pub(crate) fn heading(report: &Report) -> String {
    let totals = &report.totals;
    let mut out = match report.source.as_str() {
        "core" => format!("{}, a core file of process {}", report.program, report.pid),
        _ => format!("{}, process {}", report.program, report.pid),
    };
    if report.source == "statistics" {
        out += ", by its statistics only";
    }
    out += &format!(": {} resident", units::bytes(report.resident.rss_bytes as f64));
    if totals.threads > 0 {
        out += &format!(", {}", units::number(totals.threads, "thread"));
    }
    out + &format!(
        ", {} of {} live",
        units::number(totals.live_blocks, "block"),
        units::bytes(totals.live_bytes as f64)
    )
}
