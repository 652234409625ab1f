//! The page as text.

use super::lines::{Explained, Line};
use crate::top::report::Report;
use crate::units;

/// Columns of text beside the figures.
const WIDTH: usize = 62;

pub(crate) fn text(report: &Report, explained: &Explained) -> String {
    let mut out = crate::top::heading(report);
    out += "\n";
    if report.source == "statistics" {
        out += "\nThese are statistics, not the process: what is free counts as if it were resident, and which pages are kept by a block is not in them.\n";
    }
    let rss = explained.rss_bytes.max(1) as f64;
    for line in &explained.lines {
        out += "\n";
        out += &paragraph(line, rss);
    }
    let gives = explained.trim_gives_bytes;
    let part = gives as f64 / rss * 100.0;
    out += &format!(
        "\nA trim (malloc_trim(0), hak_trim()) would give back {}, {part:.0} % of what is resident.\n",
        units::bytes(gives as f64)
    );
    out
}

fn paragraph(line: &Line, rss: f64) -> String {
    let figure = format!("{:>9} {:>4.0} %", units::bytes(line.bytes as f64), line.bytes as f64 / rss * 100.0);
    let mut out = wrapped(&format!("{figure}  "), &format!("{}: {}", line.part, line.what));
    // What hardly counts needs no advice.
    if (line.bytes as f64) < rss / 100.0 {
        return out;
    }
    for detail in line.of.iter().chain(&line.sites) {
        out += &wrapped(&format!("{:18}", ""), &detail.what);
    }
    for advice in &line.advice {
        out += &wrapped(&format!("{:16}→ ", ""), &advice.what);
    }
    out
}

/// Words behind `start`, and below it where there are more than fit.
fn wrapped(start: &str, words: &str) -> String {
    let indent = " ".repeat(start.chars().count());
    let mut out = String::new();
    let mut line = start.to_owned();
    let mut used = 0;
    for word in words.split(' ') {
        let len = word.chars().count();
        if used > 0 && used + 1 + len > WIDTH {
            out += line.trim_end();
            out += "\n";
            line.clone_from(&indent);
            used = 0;
        }
        if used > 0 {
            line += " ";
            used += 1;
        }
        line += word;
        used += len;
    }
    out + line.trim_end() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_go_on_below() {
        let text = wrapped("  → ", &"word ".repeat(20));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH + 4));
        assert!(lines.first().is_some_and(|line| line.starts_with("  → word")));
        assert!(lines.get(1).is_some_and(|line| line.starts_with("    word")));
    }
}
