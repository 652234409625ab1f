//! `hakmem trace stats`: what a program asks of its malloc, from a trace.

use std::collections::HashMap;

use serde::Serialize;

use super::args::TraceStatsArgs;
use super::event::{About, Event, Op, Totals};
use super::file::Trace;
use crate::error::Result;
use crate::histogram::Histogram;
use crate::output;
use crate::table::{Align, Table};
use crate::units;

pub(crate) fn stats(args: &TraceStatsArgs) -> Result<u8> {
    let mut trace = Trace::open(&args.trace)?;
    let mut figures = Figures::default();
    while let Some(event) = trace.next()? {
        figures.add(&event);
    }
    let report = figures.report(trace.about(), trace.totals());
    output::print(&if args.json { output::json(&report)? } else { text(&report) })?;
    for note in trace.totals().complaints() {
        output::complain(&format!("{}: {note}", args.trace.display()));
    }
    Ok(0)
}

/// A block that lives.
struct Block {
    size: u64,
    thread: u32,
    at: u64,
    /// Allocations before it.
    number: u64,
}

#[derive(Default)]
struct Figures {
    live: HashMap<u64, Block>,
    events: u64,
    allocations: u64,
    frees: u64,
    remote_frees: u64,
    reallocations: u64,
    grown: u64,
    failed: u64,
    forks: u64,
    allocated: u64,
    live_bytes: u64,
    peak: Peak,
    most_blocks: u64,
    sizes: Histogram,
    lives: Histogram,
    lives_in_allocations: Histogram,
    classes: Vec<Class>,
}

/// When most bytes were live.
#[derive(Clone, Copy, Default, Serialize)]
pub(crate) struct Peak {
    pub(crate) bytes: u64,
    pub(crate) blocks: u64,
    pub(crate) event: u64,
    pub(crate) at_ns: u64,
}

/// Sizes up to a power of two, from the one before.
#[derive(Clone, Default)]
struct Class {
    blocks: u64,
    bytes: u64,
    live_bytes: u64,
    at_peak: u64,
    lives: Histogram,
}

impl Figures {
    fn add(&mut self, event: &Event) {
        match event.op {
            Op::Allocate { object, size, .. } => self.birth(event, object, size),
            Op::Free { object } => {
                self.frees += 1;
                if let Some(block) = self.end(event, object) {
                    self.remote_frees += u64::from(block.thread != event.thread);
                }
            }
            Op::Reallocate { object, new, size } => {
                self.reallocations += 1;
                if let Some(block) = self.end(event, object) {
                    self.grown += u64::from(block.size < size);
                }
                self.birth(event, new, size);
            }
            Op::Failed { .. } => self.failed += 1,
            Op::Fork => self.forks += 1,
            Op::ThreadEnd => {}
        }
        self.events += 1;
    }

    fn birth(&mut self, event: &Event, object: u64, size: u64) {
        self.live.insert(object, Block { size, thread: event.thread, at: event.at, number: self.allocations });
        self.allocations += 1;
        self.allocated = self.allocated.saturating_add(size);
        self.live_bytes = self.live_bytes.saturating_add(size);
        self.most_blocks = self.most_blocks.max(self.live.len() as u64);
        self.sizes.add(size);
        if let Some(class) = self.class(size) {
            class.blocks += 1;
            class.bytes = class.bytes.saturating_add(size);
            class.live_bytes = class.live_bytes.saturating_add(size);
        }
        if self.live_bytes > self.peak.bytes {
            let (bytes, blocks) = (self.live_bytes, self.live.len() as u64);
            self.peak = Peak { bytes, blocks, event: self.events, at_ns: event.at };
            self.classes.iter_mut().for_each(|class| class.at_peak = class.live_bytes);
        }
    }

    fn end(&mut self, event: &Event, object: u64) -> Option<Block> {
        let block = self.live.remove(&object)?;
        self.live_bytes = self.live_bytes.saturating_sub(block.size);
        let life = event.at.saturating_sub(block.at);
        self.lives.add(life);
        self.lives_in_allocations.add(self.allocations - block.number);
        if let Some(class) = self.class(block.size) {
            class.live_bytes = class.live_bytes.saturating_sub(block.size);
            class.lives.add(life);
        }
        Some(block)
    }

    fn class(&mut self, size: u64) -> Option<&mut Class> {
        let number = size.max(16).checked_next_power_of_two().map_or(60, |top| top.ilog2() as usize - 4);
        if self.classes.len() <= number {
            self.classes.resize(number + 1, Class::default());
        }
        self.classes.get_mut(number)
    }

    fn report(self, about: &About, totals: &Totals) -> Report {
        let classes = self.classes.iter().enumerate().filter(|(_, class)| class.blocks > 0);
        let classes = classes.map(|(number, class)| SizeClass {
            up_to: 1u64.checked_shl(number as u32 + 4).unwrap_or(u64::MAX),
            blocks: class.blocks,
            bytes: class.bytes,
            bytes_at_peak: class.at_peak,
            median_life_ns: class.lives.percentile(0.5),
        });
        let percentiles = |histogram: &Histogram| {
            PERCENTILES.iter().filter_map(|(name, share)| Some((*name, histogram.percentile(*share)?))).collect()
        };
        Report {
            schema: 1,
            command: output::quote(&about.command),
            timed: about.timed,
            totals: totals.clone(),
            allocations: self.allocations,
            frees: self.frees,
            reallocations: self.reallocations,
            grown: self.grown,
            failed_requests: self.failed,
            forks: self.forks,
            allocated_bytes: self.allocated,
            peak: self.peak,
            most_blocks: self.most_blocks,
            live_bytes_at_end: self.live_bytes,
            live_blocks_at_end: self.live.len() as u64,
            remote_frees: self.remote_frees,
            remote_share: ratio(self.remote_frees, self.frees),
            churn: ratio(self.allocated, self.peak.bytes),
            size: percentiles(&self.sizes),
            life_ns: percentiles(&self.lives),
            life_in_allocations: percentiles(&self.lives_in_allocations),
            classes: classes.collect(),
        }
    }
}

const PERCENTILES: [(&str, f64); 5] = [("p10", 0.1), ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("most", 1.0)];

type Percentiles = Vec<(&'static str, u64)>;

#[derive(Serialize)]
struct Report {
    schema: u32,
    command: String,
    timed: bool,
    totals: Totals,
    allocations: u64,
    frees: u64,
    reallocations: u64,
    grown: u64,
    failed_requests: u64,
    forks: u64,
    allocated_bytes: u64,
    peak: Peak,
    most_blocks: u64,
    live_bytes_at_end: u64,
    live_blocks_at_end: u64,
    remote_frees: u64,
    remote_share: f64,
    churn: f64,
    #[serde(serialize_with = "as_object")]
    size: Percentiles,
    #[serde(serialize_with = "as_object")]
    life_ns: Percentiles,
    #[serde(serialize_with = "as_object")]
    life_in_allocations: Percentiles,
    classes: Vec<SizeClass>,
}

#[derive(Serialize)]
struct SizeClass {
    up_to: u64,
    blocks: u64,
    bytes: u64,
    bytes_at_peak: u64,
    median_life_ns: Option<u64>,
}

fn as_object<S: serde::Serializer>(percentiles: &Percentiles, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(percentiles.iter().copied())
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn text(report: &Report) -> String {
    let bytes = |value: u64| units::bytes(value as f64);
    let blocks = |value: u64| units::number(value, "block");
    let mut table = Table::new(&[Align::Left, Align::Left]);
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    let took = if report.timed {
        format!(" in {}", units::seconds(report.totals.duration_ns as f64 / 1e9))
    } else {
        String::new()
    };
    row("trace", format!("{}{took}", report.totals.text()));
    row("allocated", format!("{} in {}", bytes(report.allocated_bytes), blocks(report.allocations)));
    let (peak, events) = (report.peak, report.totals.events);
    let place = ratio(peak.event, events) * 100.0;
    row("live at most", format!("{} in {}, after {place:.0} % of the events", bytes(peak.bytes), blocks(peak.blocks)));
    row("live at the end", format!("{} in {}", bytes(report.live_bytes_at_end), blocks(report.live_blocks_at_end)));
    row("churn", format!("{} times the peak was allocated", units::digits(report.churn)));
    let (remote, share) = (units::count(report.remote_frees), report.remote_share * 100.0);
    row("freed by other threads", format!("{remote} of {} ({share:.1} %)", blocks(report.frees)));
    row("reallocated", format!("{}, {} of them larger", blocks(report.reallocations), units::count(report.grown)));
    if report.failed_requests + report.forks > 0 {
        let (failed, forks) = (units::number(report.failed_requests, "request"), units::number(report.forks, "fork"));
        row("besides", format!("{failed} failed, {forks}"));
    }
    let list = |percentiles: &Percentiles, show: &dyn Fn(u64) -> String| {
        let all: Vec<String> = percentiles.iter().map(|(name, value)| format!("{name} {}", show(*value))).collect();
        all.join(", ")
    };
    let seconds = |value: u64| units::seconds(value as f64 / 1e9);
    row("sizes", list(&report.size, &bytes));
    if report.timed {
        row("lives", list(&report.life_ns, &seconds));
    }
    row("lives, in allocations", list(&report.life_in_allocations, &units::count));
    let mut out =
        if report.command.is_empty() { String::new() } else { format!("{}\n", output::shorten(&report.command, 200)) };
    out += &table.text("  ");
    let mut table = Table::of_figures(7);
    table.row(["size up to", "blocks", "%", "bytes", "%", "at the peak", "median life"]);
    for class in &report.classes {
        let share = |part, whole| format!("{:.1}", ratio(part, whole) * 100.0);
        table.row([
            bytes(class.up_to),
            units::count(class.blocks),
            share(class.blocks, report.allocations),
            bytes(class.bytes),
            share(class.bytes, report.allocated_bytes),
            bytes(class.bytes_at_peak),
            class.median_life_ns.filter(|_| report.timed).map_or("-".to_owned(), seconds),
        ]);
    }
    out + "\n" + &table.text("  ")
}
