//! The rounds of a comparison.
//!
//! Interleaved (A B C, B C A, …): when a shared machine slows down for a while, it slows down everybody, instead of
//! whoever happened to be running his turn; and nobody always runs first.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

use crate::args::CompareArgs;
use crate::error::{Context, Error, Result};
use crate::library;
use crate::measure::{self, Cost, Ending, Launch, Outcome};
use crate::output;
use crate::peers::Allocator;
use crate::served::Trace;
use crate::signals;

use super::report::{Machine, Measured, Report};
use super::verdict::{Candidate, verdict};

pub(super) struct Session<'a> {
    args: &'a CompareArgs,
    allocators: Vec<Measured>,
    progress: ProgressBar,
    warnings: Vec<String>,
}

impl Session<'_> {
    pub(super) fn new(args: &CompareArgs, allocators: Vec<Allocator>, warnings: Vec<String>) -> Session<'_> {
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

    pub(super) fn measure(mut self) -> Result<Report> {
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
            machine: Machine::here(),
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
