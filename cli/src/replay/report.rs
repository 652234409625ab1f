//! The figures of a replay: medians of the rounds, as tables and as JSON.

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use super::args::ReplayArgs;
use super::layout::{CALL_NAMES, CALLS};
use super::plan::Plan;
use super::results::{Latency, Run};
use super::session::Measured;
use crate::error::Result;
use crate::peers::SYSTEM;
use crate::sample::Spread;
use crate::table::Table;
use crate::trace::file::Trace;
use crate::{output, signals, units};

pub(super) struct Report {
    pub(super) title: String,
    pub(super) about: String,
    runs: u32,
    settings: Value,
    /// Events up to each look at the memory, and the bytes that lived then.
    pub(super) events: Vec<u64>,
    pub(super) live: Vec<u64>,
    pub(super) peak: u64,
    pub(super) allocators: Vec<Measured>,
    pub(super) interrupted: Option<i32>,
}

pub(super) struct Figure {
    pub(super) key: &'static str,
    pub(super) title: &'static str,
    value: fn(&Run) -> f64,
    pub(super) text: fn(f64) -> String,
}

pub(super) const FIGURES: [Figure; 5] = [
    Figure { key: "wall_s", title: "time", value: |run| run.wall_s, text: units::seconds },
    Figure { key: "cpu_s", title: "CPU", value: |run| run.cpu_s, text: units::seconds },
    Figure {
        key: "faults",
        title: "page faults",
        value: |run| run.faults as f64,
        text: |value| units::count(value as u64),
    },
    Figure { key: "peak_resident", title: "resident at most", value: Run::peak, text: units::bytes },
    Figure { key: "end_resident", title: "at the end", value: Run::end, text: units::bytes },
];
pub(super) const PEAK: &Figure = &FIGURES[3];

pub(super) const SHARES: [(&str, f64); 4] = [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999)];

impl Run {
    fn peak(&self) -> f64 {
        self.points.iter().map(|point| point.resident).max().unwrap_or(0) as f64
    }

    fn end(&self) -> f64 {
        self.points.last().map_or(0, |point| point.resident) as f64
    }
}

impl Measured {
    pub(super) fn spread(&self, figure: &Figure) -> Option<Spread> {
        Spread::of(&self.runs.iter().map(figure.value).collect::<Vec<f64>>())
    }

    /// What was resident at each look, the median of the rounds.
    pub(super) fn resident(&self) -> Vec<u64> {
        let looks = self.runs.first().map_or(0, |run| run.points.len());
        let at = |look: usize| {
            let all = self.runs.iter().filter_map(|run| run.points.get(look)).map(|point| point.resident as f64);
            Spread::of(&all.collect::<Vec<f64>>()).map_or(0, |spread| spread.median as u64)
        };
        (0..looks).map(at).collect()
    }
}

/// Percentiles, and the longest.
pub(super) fn latency_figures(latency: &Latency) -> Option<Vec<(&'static str, u64)>> {
    let shares = SHARES.iter().map(|(name, share)| Some((*name, latency.ns.percentile(*share)?)));
    shares.chain([Some(("longest", latency.longest_ns))]).collect()
}

impl Report {
    pub(super) fn new(args: &ReplayArgs, plan: &Plan, trace: &Trace, allocators: Vec<Measured>) -> Report {
        let (about, totals) = (trace.about(), trace.totals());
        let command = output::quote(&about.command);
        let file = args.trace.display().to_string();
        let calls = units::number(plan.calls, "call");
        let threads = units::number(plan.threads as u64, "thread");
        let word = |name: Option<clap::builder::PossibleValue>| name.map(|name| name.get_name().to_owned());
        Report {
            title: if command.is_empty() { file.clone() } else { command.clone() },
            about: format!("{calls} of {threads}, {} live at most", units::bytes(plan.peak as f64)),
            runs: args.runs,
            settings: json!({
                "trace": file,
                "command": command,
                "events": totals.events,
                "calls": plan.calls,
                "threads": plan.threads,
                "as_recorded": word(args.threads.to_possible_value()),
                "speed": word(args.speed.to_possible_value()),
                "touch": word(args.touch.to_possible_value()),
            }),
            events: plan.segments.iter().map(|segment| segment.events).collect(),
            live: plan.segments.iter().map(|segment| segment.live).collect(),
            peak: plan.peak,
            allocators,
            interrupted: signals::interrupted(),
        }
    }

    fn runs_done(&self) -> usize {
        self.allocators.iter().filter(|one| one.failure.is_none()).map(|one| one.runs.len()).min().unwrap_or(0)
    }

    /// Against the system's malloc.
    pub(super) fn ratio(&self, one: &Measured, figure: &Figure) -> Option<f64> {
        let system = self.allocators.iter().find(|one| one.name == SYSTEM)?.spread(figure)?;
        Some(one.spread(figure)?.median / system.median).filter(|ratio| ratio.is_finite())
    }

    /// Resident at most over live at most.
    pub(super) fn over_live(&self, one: &Measured) -> Option<f64> {
        Some(one.spread(PEAK)?.median / self.peak.max(1) as f64)
    }

    /// Of each kind of call that the trace has: who was timed.
    pub(super) fn latencies(&self, call: usize) -> Vec<(&Measured, Vec<(&'static str, u64)>)> {
        let of = |one: &'_ Measured| one.latencies.as_ref()?.get(call).and_then(latency_figures);
        self.allocators.iter().filter_map(|one| Some((one, of(one)?))).collect()
    }

    pub(super) fn text(&self) -> String {
        let title = output::shorten(&self.title, 200);
        let mut out = format!("{title}: {}; {} of {} rounds\n\n", self.about, self.runs_done(), self.runs);
        let mut table = Table::of_figures(FIGURES.len() + 3);
        let mut head = vec![String::new()];
        for figure in &FIGURES {
            head.push(figure.title.to_owned());
            head.extend(extra_title(figure).map(str::to_owned));
        }
        table.row(head);
        for one in &self.allocators {
            let mut row = vec![format!("  {}", output::shorten(&one.name, 24))];
            if one.runs.is_empty() {
                row.push(if one.failure.is_some() { "failed" } else { "-" }.to_owned());
            }
            for figure in &FIGURES {
                if let Some(spread) = one.spread(figure) {
                    row.push((figure.text)(spread.median));
                    let extra = extra_title(figure).map(|_| self.extra(one, figure).unwrap_or("-".to_owned()));
                    row.extend(extra);
                }
            }
            table.row(row);
        }
        out += &table.text("");
        for (call, name) in CALL_NAMES.iter().enumerate() {
            out += &latency_table(name, &self.latencies(call));
        }
        for one in &self.allocators {
            let refused = one.runs.iter().map(|run| run.refused).max().unwrap_or(0);
            if refused > 0 {
                out += &format!("\n{}: {} refused\n", one.name, units::number(refused, "request"));
            }
            if let Some(failure) = &one.failure {
                out += &format!("\n{} failed: {failure}\n", one.name);
            }
        }
        out
    }

    /// What is beside a figure: a ratio.
    pub(super) fn extra(&self, one: &Measured, figure: &Figure) -> Option<String> {
        let ratio = if figure.key == PEAK.key { self.over_live(one) } else { self.ratio(one, figure) };
        ratio.map(|ratio| format!("{ratio:.2}"))
    }

    pub(super) fn json(&self) -> Result<String> {
        let allocators: Vec<Value> = self.allocators.iter().map(|one| self.one(one)).collect();
        output::json(&json!({
            "schema": 1,
            "settings": self.settings,
            "runs": self.runs,
            "runs_done": self.runs_done(),
            "interrupted": self.interrupted.is_some(),
            "peak_live": self.peak,
            "events": self.events,
            "live": self.live,
            "allocators": allocators,
        }))
    }

    fn one(&self, one: &Measured) -> Value {
        let figures = FIGURES.iter().map(|figure| {
            let ratio = self.ratio(one, figure);
            (figure.key.to_owned(), json!({ "spread": one.spread(figure), "ratio_to_system": ratio }))
        });
        let latencies = (0..CALLS).zip(CALL_NAMES).filter_map(|(call, name)| {
            let figures = latency_figures(one.latencies.as_ref()?.get(call)?)?;
            let figures: Map<String, Value> =
                figures.into_iter().map(|(name, ns)| (name.to_owned(), ns.into())).collect();
            Some((name.to_owned(), Value::from(figures)))
        });
        // As each process counted them itself: what the trace says, if it did what the trace says.
        let live: Vec<u64> =
            one.runs.first().map(|run| run.points.iter().map(|point| point.live).collect()).unwrap_or_default();
        json!({
            "name": one.name,
            "library": one.library.as_ref().map(|path| path.to_string_lossy()),
            "failure": one.failure,
            "figures": Map::from_iter(figures),
            "peak_resident_over_peak_live": self.over_live(one),
            "latency_ns": Map::from_iter(latencies),
            "refused": one.runs.iter().map(|run| run.refused).max(),
            "base_resident": one.runs.iter().map(|run| run.base).max(),
            "same_live": one.runs.iter().all(|run| run.points.iter().map(|point| point.live).eq(self.live.iter().copied())),
            "resident": one.resident(),
            "live": live,
        })
    }
}

pub(super) fn extra_title(figure: &Figure) -> Option<&'static str> {
    match figure.key {
        "wall_s" => Some("× system"),
        "peak_resident" => Some("× live"),
        _ => None,
    }
}

fn latency_table(name: &str, rows: &[(&Measured, Vec<(&'static str, u64)>)]) -> String {
    let Some((_, first)) = rows.first() else { return String::new() };
    let mut table = Table::of_figures(first.len() + 1);
    let heads = first.iter().map(|(head, _)| (*head).to_owned());
    table.row([name.to_owned()].into_iter().chain(heads));
    for (one, figures) in rows {
        let cells = figures.iter().map(|(_, ns)| nanoseconds(*ns));
        table.row([format!("  {}", output::shorten(&one.name, 24))].into_iter().chain(cells));
    }
    format!("\n{}", table.text(""))
}

pub(super) fn nanoseconds(ns: u64) -> String {
    if ns < 1000 { format!("{ns} ns") } else { units::seconds(ns as f64 / 1e9) }
}
