//! What a comparison measured: figures by metric, as a table and as JSON.

use std::ffi::CStr;

use serde::Serialize;

use crate::error::{Context, Result};
use crate::measure::Cost;
use crate::output;
use crate::peers::SYSTEM;
use crate::sample::Spread;
use crate::table::Table;
use crate::units;

/// What is compared.
pub(crate) struct Metric {
    pub(crate) key: &'static str,
    pub(crate) title: &'static str,
    pub(crate) about: &'static str,
    value: fn(&Cost) -> f64,
    pub(crate) text: fn(f64) -> String,
    /// What round figures are round in: tens, or 1024s.
    pub(crate) step_base: f64,
}

pub(crate) const METRICS: [Metric; 4] = [
    Metric {
        key: "wall_s",
        title: "time",
        about: "from start to end",
        value: |cost| cost.wall_s,
        text: units::seconds,
        step_base: 10.0,
    },
    Metric {
        key: "cpu_s",
        title: "CPU",
        about: "user and system",
        value: Cost::cpu_s,
        text: units::seconds,
        step_base: 10.0,
    },
    Metric {
        key: "peak_rss_kib",
        title: "peak RSS",
        about: "memory resident at most",
        value: |cost| cost.peak_rss_kib as f64,
        text: units::kib,
        step_base: 1024.0,
    },
    Metric {
        key: "faults",
        title: "page faults",
        about: "minor and major",
        value: |cost| cost.faults() as f64,
        text: |value| units::count(value as u64),
        step_base: 10.0,
    },
];

#[derive(Serialize)]
pub(crate) struct Measured {
    pub(crate) name: String,
    /// `None`: the system's malloc.
    pub(crate) library: Option<String>,
    /// Whether the library was seen in the program's memory; `None`: that could not be looked at.
    pub(crate) served: Option<bool>,
    /// Why there are no more rounds.
    pub(crate) failure: Option<String>,
    pub(crate) runs: Vec<Cost>,
}

#[derive(Serialize)]
pub(crate) struct Machine {
    pub(crate) kernel: String,
    pub(crate) glibc: String,
    pub(crate) cpus: usize,
}

impl Machine {
    pub(super) fn here() -> Machine {
        // SAFETY: it returns a static string.
        let glibc = unsafe { CStr::from_ptr(libc::gnu_get_libc_version()) };
        Machine {
            kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            glibc: glibc.to_string_lossy().into_owned(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

pub(crate) struct Report {
    pub(crate) command: String,
    pub(crate) rounds: u32,
    pub(crate) rounds_done: usize,
    pub(crate) machine: Machine,
    pub(crate) allocators: Vec<Measured>,
    pub(crate) warnings: Vec<String>,
    pub(crate) verdict: String,
    pub(crate) interrupted: Option<i32>,
}

impl Measured {
    pub(crate) fn values(&self, metric: &Metric) -> Vec<f64> {
        self.runs.iter().map(metric.value).collect()
    }

    pub(crate) fn spread(&self, metric: &Metric) -> Option<Spread> {
        Spread::of(&self.values(metric))
    }
}

impl Report {
    /// Against the system's malloc.
    pub(crate) fn ratio(&self, one: &Measured, metric: &Metric) -> Option<f64> {
        let system = self.allocators.iter().find(|one| one.name == SYSTEM)?.spread(metric)?;
        Some(one.spread(metric)?.median / system.median).filter(|ratio| ratio.is_finite())
    }

    pub(crate) fn text(&self) -> String {
        let mut table = Table::of_figures(5);
        for metric in &METRICS {
            table.row([metric.title, "median", "low", "high", "× system"]);
            for one in &self.allocators {
                let name = format!("  {}", output::shorten(&one.name, 24));
                let Some(spread) = one.spread(metric) else {
                    table.row([name, if one.failure.is_some() { "failed" } else { "-" }.to_owned()]);
                    continue;
                };
                let ratio = self.ratio(one, metric).map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
                table.row([
                    name,
                    (metric.text)(spread.median),
                    (metric.text)(spread.low),
                    (metric.text)(spread.high),
                    ratio,
                ]);
            }
        }
        let mut out =
            format!("{}: {} of {} rounds\n\n", output::shorten(&self.command, 200), self.rounds_done, self.rounds);
        out += &table.text("");
        for one in &self.allocators {
            if let Some(failure) = &one.failure {
                out += &format!("\n{} failed: {failure}\n", one.name);
            }
        }
        for warning in &self.warnings {
            out += &format!("\nwarning: {warning}\n");
        }
        out + &format!("\n{}\n", self.verdict)
    }

    pub(crate) fn json(&self) -> Result<String> {
        let mut allocators = Vec::new();
        for one in &self.allocators {
            let mut value = serde_json::to_value(one).context("JSON")?;
            let figures = METRICS.iter().map(|metric| {
                let figures =
                    serde_json::json!({ "spread": one.spread(metric), "ratio_to_system": self.ratio(one, metric) });
                (metric.key.to_owned(), figures)
            });
            let figures: serde_json::Map<String, serde_json::Value> = figures.collect();
            if let Some(object) = value.as_object_mut() {
                object.insert("figures".to_owned(), figures.into());
            }
            allocators.push(value);
        }
        output::json(&serde_json::json!({
            "schema": 1,
            "command": self.command,
            "rounds": self.rounds,
            "rounds_done": self.rounds_done,
            "interrupted": self.interrupted.is_some(),
            "machine": self.machine,
            "allocators": allocators,
            "warnings": self.warnings,
            "verdict": self.verdict,
        }))
    }
}
