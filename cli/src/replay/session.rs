//! The rounds of a replay: each allocator in a process of its own, one after the other, and each round beginning with another, as
//! `compare` does it and why.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use super::args::ReplayArgs;
use super::child::COMMAND;
use super::layout::CALLS;
use super::plan::Plan;
use super::results::{Latency, Run};
use crate::error::{Context, Error, Result};
use crate::library;
use crate::measure::{self, Ending, Launch};
use crate::peers::Allocator;
use crate::signals;

pub(super) struct Measured {
    pub(super) name: String,
    /// `None`: the system's malloc.
    pub(super) library: Option<PathBuf>,
    pub(super) runs: Vec<Run>,
    pub(super) latencies: Option<[Latency; CALLS]>,
    /// Why there are no more rounds.
    pub(super) failure: Option<String>,
}

pub(super) struct Session<'a> {
    args: &'a ReplayArgs,
    plan: &'a Plan,
    allocators: Vec<Measured>,
    progress: ProgressBar,
}

impl<'a> Session<'a> {
    pub(super) fn new(args: &'a ReplayArgs, allocators: Vec<Allocator>, plan: &'a Plan) -> Session<'a> {
        let measured = |one: Allocator| Measured {
            name: one.name,
            library: one.library,
            runs: Vec::new(),
            latencies: None,
            failure: None,
        };
        let allocators: Vec<Measured> = allocators.into_iter().map(measured).collect();
        let each = u64::from(args.runs) * if args.no_latencies { 1 } else { 2 };
        // Where stderr is no terminal it draws nothing.
        let progress = ProgressBar::new(allocators.len() as u64 * each);
        if let Ok(style) = ProgressStyle::with_template("{msg:<24} {wide_bar} {pos}/{len} runs, {eta} left") {
            progress.set_style(style);
        }
        Session { args, plan, allocators, progress }
    }

    /// All rounds, or as many as there were until a signal came.
    pub(super) fn measure(mut self) -> Result<Vec<Measured>> {
        let count = self.allocators.len();
        for round in 0..self.args.runs as usize {
            for turn in 0..count {
                for timed in [false, true].into_iter().filter(|timed| !(*timed && self.args.no_latencies)) {
                    if signals::interrupted().is_none() {
                        self.turn((round + turn) % count, round, timed)?;
                    }
                }
            }
        }
        self.progress.finish_and_clear();
        Ok(self.allocators)
    }

    fn turn(&mut self, index: usize, round: usize, timed: bool) -> Result<()> {
        let Some(one) = self.allocators.get(index).filter(|one| one.failure.is_none()) else { return Ok(()) };
        self.progress.set_message(format!("round {} {}", round + 1, one.name));
        let result = self.run(one, timed)?;
        if signals::interrupted().is_some() {
            return Ok(()); // cut short: no figure
        }
        if let Ok(run) = &result {
            check_served(one, run).inspect_err(|_| self.progress.finish_and_clear())?;
        }
        if let Some(one) = self.allocators.get_mut(index) {
            match result {
                Ok(mut run) => match run.latencies.take() {
                    Some(latencies) => {
                        let sums = one.latencies.get_or_insert_default();
                        sums.iter_mut().zip(&latencies).for_each(|(sum, latency)| sum.add(latency));
                    }
                    None => one.runs.push(run),
                },
                Err(failure) => one.failure = Some(failure),
            }
        }
        self.progress.inc(1);
        Ok(())
    }

    /// Inner error: it failed.
    fn run(&self, one: &Measured, timed: bool) -> Result<std::result::Result<Run, String>> {
        let results = measure::memory_file().context("memfd_create")?;
        let stderr = measure::memory_file().context("memfd_create")?;
        let mine = std::process::id();
        let path = |file: &File| OsString::from(format!("/proc/{mine}/fd/{}", file.as_raw_fd()));
        let touch = self.args.touch.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned());
        let program = [
            env::current_exe().context("this program's own path")?.into_os_string(),
            COMMAND.into(),
            path(&self.plan.file),
            path(&results),
            touch.into(),
            if timed { "timed" } else { "" }.into(),
        ];
        let output = (measure::null().context("/dev/null")?, stderr.try_clone().context("stderr")?);
        let launch = Launch {
            program: &program,
            environment: vec![
                ("LD_PRELOAD".into(), one.library.as_ref().map(Into::into)),
                (library::VARIABLE.into(), None),
            ],
            stdin: Some(measure::null().context("/dev/null")?),
            output: Some(output),
            timeout: self.args.timeout,
            started: None,
        };
        let outcome = launch.run(None)?;
        let run = Run::read(&results, timed).filter(|_| outcome.ending == Ending::Exit(0));
        Ok(run.ok_or_else(|| {
            let said = last_lines(stderr);
            if said.is_empty() { outcome.ending.text() } else { format!("{}: {said}", outcome.ending.text()) }
        }))
    }
}

/// Whose malloc it was that the process called.
fn check_served(one: &Measured, run: &Run) -> Result<()> {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let served = real(&run.served_by);
    let wrong = match &one.library {
        Some(library) => served != real(library),
        None => !served.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libc")),
    };
    if wrong {
        let (name, served) = (&one.name, served.display());
        return Err(Error::new(format!("{name}: malloc came from {served}: its figures would be another's")));
    }
    Ok(())
}

/// The end of what the process said on stderr.
fn last_lines(mut file: File) -> String {
    let mut text = Vec::new();
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    if file.seek(SeekFrom::Start(length.saturating_sub(4096))).is_ok() {
        let _ = file.take(4096).read_to_end(&mut text);
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.get(lines.len().saturating_sub(3)..).unwrap_or_default().join(" / ")
}
