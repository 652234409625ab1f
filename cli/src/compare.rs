//! `hakmem compare`: one program under every allocator, in interleaved rounds.
//!
//! Interleaved (A B C, B C A, …): when a shared machine slows down for a while, it slows down everybody, instead of
//! whoever happened to be running his turn; and nobody always runs first.

use std::ffi::CStr;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::args::CompareArgs;
use crate::elf::Program;
use crate::error::{Context, Error, Result};
use crate::library::{self, Library};
use crate::measure::{self, Cost, Ending, Launch, Outcome};
use crate::output;
use crate::peers::{self, Allocator, SYSTEM};
use crate::sample::Spread;
use crate::served::Trace;
use crate::signals;
use crate::table::Table;
use crate::units;
use crate::verdict::{Candidate, verdict};
use crate::{chart, page};

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
}

pub(crate) fn compare(args: CompareArgs) -> Result<u8> {
    let library = Library::find(&args.library)?;
    let allocators = peers::choose(&library, &args.with)?;
    for file in [&args.html, &args.svg].into_iter().flatten() {
        output::check_writable(file)?;
    }
    if let Some(input) = &args.input {
        File::open(input).context(input.display())?;
    }
    let warnings = preflight(&args)?;
    signals::catch();
    let report = Session::new(&args, allocators, warnings).measure()?;
    if let Some(file) = &args.html {
        output::write_file(file, &page::html(&report))?;
    }
    if let Some(file) = &args.svg {
        output::write_file(file, &chart::svg(&report.allocators, true))?;
    }
    output::print(&if args.json { json(&report)? } else { text(&report) })?;
    let failed = report.allocators.iter().any(|one| one.failure.is_some());
    if let Some(signal) = report.interrupted {
        output::complain(&format!(
            "interrupted by {}: the figures are those measured until then",
            signals::name(signal)
        ));
        return Ok(128u8.saturating_add(signal as u8));
    }
    Ok(u8::from(failed))
}

/// Refuses what no library can be preloaded into: it would be compared with itself.
fn preflight(args: &CompareArgs) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    if let Some(program) = args.program.first().and_then(|name| Program::find(name)) {
        if let Some(obstacle) = &program.obstacle {
            let path = program.path.display();
            return Err(Error::new(format!(
                "{path} can't be compared, for no library can be preloaded: {}",
                obstacle.text()
            )));
        }
        warnings.extend(program.own_malloc.map(|own| format!("{}: {}", program.path.display(), own.text())));
    }
    for warning in &warnings {
        output::complain(&format!("warning: {warning}"));
    }
    Ok(warnings)
}

struct Session<'a> {
    args: &'a CompareArgs,
    allocators: Vec<Measured>,
    progress: ProgressBar,
    warnings: Vec<String>,
}

impl Session<'_> {
    fn new(args: &CompareArgs, allocators: Vec<Allocator>, warnings: Vec<String>) -> Session<'_> {
        let measured = |one: Allocator| Measured {
            name: one.name,
            library: one.library.map(|path| path.to_string_lossy().into_owned()),
            served: None,
            failure: None,
            runs: Vec::new(),
        };
        let allocators: Vec<Measured> = allocators.into_iter().map(measured).collect();
        // Where stderr is no terminal it draws nothing.
        let runs = allocators.len() as u64 * u64::from(args.rounds + 1);
        let progress = if args.show_output { ProgressBar::hidden() } else { ProgressBar::new(runs) };
        if let Ok(style) = ProgressStyle::with_template("{msg:<24} {wide_bar} {pos}/{len} runs, {eta} left") {
            progress.set_style(style);
        }
        Session { args, allocators, progress, warnings }
    }

    fn measure(mut self) -> Result<Report> {
        let count = self.allocators.len();
        self.progress.set_message("warming up");
        for index in 0..count {
            if signals::interrupted().is_none() {
                self.warm_up(index)?;
            }
        }
        let mut rounds_done = 0;
        for round in 0..self.args.rounds as usize {
            for turn in 0..count {
                if signals::interrupted().is_none() {
                    self.turn((round + turn) % count, round)?;
                }
            }
            if signals::interrupted().is_some() || self.allocators.iter().all(|one| one.failure.is_some()) {
                break;
            }
            rounds_done += 1;
        }
        self.progress.finish_and_clear();
        let candidates: Vec<Candidate> = self
            .allocators
            .iter()
            .filter(|one| one.failure.is_none())
            .map(|one| Candidate {
                name: &one.name,
                time: one.runs.iter().map(|cost| cost.wall_s).collect(),
                cpu: one.runs.iter().map(Cost::cpu_s).collect(),
                memory: one.runs.iter().map(|cost| cost.peak_rss_kib as f64).collect(),
            })
            .collect();
        let verdict = verdict(&candidates);
        let unseen: Vec<&str> = self
            .allocators
            .iter()
            .filter(|one| one.library.is_some() && one.served.is_none())
            .map(|one| &*one.name)
            .collect();
        if !unseen.is_empty() && signals::interrupted().is_none() {
            self.warnings.push(format!("whether the library was loaded could not be seen for {}", unseen.join(", ")));
        }
        Ok(Report {
            command: output::quote(&self.args.program),
            rounds: self.args.rounds,
            rounds_done,
            machine: machine(),
            allocators: self.allocators,
            warnings: self.warnings,
            verdict,
            interrupted: signals::interrupted(),
        })
    }

    /// A run that does not count: it fills the page cache, and looks whether the library is really there.
    fn warm_up(&mut self, index: usize) -> Result<()> {
        let Some(one) = self.allocators.get(index) else { return Ok(()) };
        let mut trace = one.library.as_ref().map(|library| Trace::new(Path::new(library)));
        let (outcome, complaint) = self.run(one, trace.as_mut())?;
        let seen = trace.and_then(|trace| trace.mapped);
        if seen == Some(false) && signals::interrupted().is_none() {
            let (name, library) = (&one.name, one.library.as_deref().unwrap_or_default());
            let mut message =
                format!("{name}: {library} was not loaded into the program: its figures would be another's");
            if let Some(line) = complaint.lines().find(|line| line.contains("LD_PRELOAD")) {
                message += &format!("\n    {line}");
            }
            self.progress.finish_and_clear();
            return Err(Error::new(message));
        }
        let failure = self.failure(&outcome, &complaint);
        if let Some(one) = self.allocators.get_mut(index) {
            one.served = seen;
            one.failure = failure;
        }
        self.progress.inc(1);
        Ok(())
    }

    fn turn(&mut self, index: usize, round: usize) -> Result<()> {
        let Some(one) = self.allocators.get(index) else { return Ok(()) };
        if one.failure.is_none() {
            self.progress.set_message(format!("round {} {}", round + 1, one.name));
            let (outcome, complaint) = self.run(one, None)?;
            if signals::interrupted().is_some() {
                return Ok(()); // cut short: no figure
            }
            let failure = self.failure(&outcome, &complaint);
            if let Some(one) = self.allocators.get_mut(index) {
                if failure.is_none() {
                    one.runs.push(outcome.cost);
                }
                one.failure = failure;
            }
        }
        self.progress.inc(1);
        Ok(())
    }

    fn run(&self, one: &Measured, trace: Option<&mut Trace>) -> Result<(Outcome, String)> {
        // One from outside would serve "system" too.
        let preload = ("LD_PRELOAD".into(), one.library.as_ref().map(Into::into));
        let stdin = match &self.args.input {
            Some(path) => File::open(path).context(path.display())?,
            None => measure::null().context("/dev/null")?,
        };
        let mut stderr = None;
        let mut output = None;
        if !self.args.show_output {
            let file = measure::memory_file().context("memfd_create")?;
            stderr = Some(file.try_clone().context("stderr")?);
            output = Some((measure::null().context("/dev/null")?, file));
        }
        let launch = Launch {
            program: &self.args.program,
            environment: vec![preload, (library::VARIABLE.into(), None)],
            stdin: Some(stdin),
            output,
            timeout: self.args.timeout,
            started: None,
        };
        let outcome = launch.run(trace)?;
        Ok((outcome, stderr.map(tail).unwrap_or_default()))
    }

    fn failure(&self, outcome: &Outcome, complaint: &str) -> Option<String> {
        if outcome.ending == Ending::Exit(self.args.expect_status) || signals::interrupted().is_some() {
            return None;
        }
        let last: Vec<&str> = complaint.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = last.get(last.len().saturating_sub(3)..).unwrap_or_default().join(" / ");
        Some(if last.is_empty() { outcome.ending.text() } else { format!("{}: {last}", outcome.ending.text()) })
    }
}

/// The end of what the program said on stderr.
fn tail(mut file: File) -> String {
    const MOST: u64 = 16 * 1024;
    let mut bytes = Vec::new();
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    if file.seek(SeekFrom::Start(length.saturating_sub(MOST))).is_ok() {
        let _ = file.take(MOST).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn machine() -> Machine {
    // SAFETY: it returns a static string.
    let glibc = unsafe { CStr::from_ptr(libc::gnu_get_libc_version()) };
    Machine {
        kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
        glibc: glibc.to_string_lossy().into_owned(),
        cpus: std::thread::available_parallelism().map_or(1, usize::from),
    }
}

fn text(report: &Report) -> String {
    let mut table = Table::of_figures(5);
    for metric in &METRICS {
        table.row([metric.title, "median", "low", "high", "× system"]);
        for one in &report.allocators {
            let name = format!("  {}", output::shorten(&one.name, 24));
            let Some(spread) = one.spread(metric) else {
                table.row([name, if one.failure.is_some() { "failed" } else { "-" }.to_owned()]);
                continue;
            };
            let ratio = report.ratio(one, metric).map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
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
        format!("{}: {} of {} rounds\n\n", output::shorten(&report.command, 200), report.rounds_done, report.rounds);
    out += &table.text("");
    for one in &report.allocators {
        if let Some(failure) = &one.failure {
            out += &format!("\n{} failed: {failure}\n", one.name);
        }
    }
    for warning in &report.warnings {
        out += &format!("\nwarning: {warning}\n");
    }
    out + &format!("\n{}\n", report.verdict)
}

fn json(report: &Report) -> Result<String> {
    let mut allocators = Vec::new();
    for one in &report.allocators {
        let mut value = serde_json::to_value(one).context("JSON")?;
        let figures = METRICS.iter().map(|metric| {
            let figures =
                serde_json::json!({ "spread": one.spread(metric), "ratio_to_system": report.ratio(one, metric) });
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
        "command": report.command,
        "rounds": report.rounds,
        "rounds_done": report.rounds_done,
        "interrupted": report.interrupted.is_some(),
        "machine": report.machine,
        "allocators": allocators,
        "warnings": report.warnings,
        "verdict": report.verdict,
    }))
}
