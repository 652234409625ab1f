//! `hakmem top`: a process's memory as it is now, and now, and now.

mod parts;
pub(crate) mod report;
mod rows;
mod screen;
pub(crate) mod statistics;
mod terminal;
mod text;
mod view;

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::time::Duration;

use crate::args::TopArgs;
use crate::error::{Error, NO_PERMISSION, NOT_SERVED, Result};
use crate::output;
use crate::remote::{Remote, maps, target};
use crate::stats::Asked;
use report::{Report, Reporter};
pub(crate) use text::heading;

pub(crate) fn top(args: TopArgs) -> Result<u8> {
    let target = match &args.target {
        Some(target) => target.clone(),
        None => only_served()?,
    };
    let mut source = Source::open(&target)?;
    let mut used = terminal::cpu_time();
    let mut report = source.look()?;
    if args.once {
        output::print(&if args.json { output::json(&report)? } else { text::text(&report) })?;
        return Ok(0);
    }
    if !args.json && !std::io::stdout().is_terminal() {
        return Err(Error::usage("standard output is no terminal: --once shows it once, --json goes on"));
    }
    if args.json {
        loop {
            output::print_json(&report)?;
            std::thread::sleep(terminal::pause(args.delay, used));
            used = terminal::cpu_time();
            report = source.look()?;
        }
    }
    terminal::run(report, args.delay, output::colours(), || source.look())
}

/// What is looked at.
enum Source {
    Memory(Box<Remote>, Box<Reporter>),
    /// A process whose memory may not be read, but that writes its statistics on a signal.
    Statistics(i32, Asked),
}

impl Source {
    fn open(name: &OsStr) -> Result<Source> {
        match target::open(name) {
            Ok(Some(remote)) => Ok(Source::Memory(Box::new(remote), Box::new(Reporter::new()))),
            Ok(None) => Err(Error::usage(format!("{}: neither a process nor a core file", name.to_string_lossy()))),
            Err(error) if error.status == NO_PERMISSION => {
                let asked = target::number(name)
                    .ok_or(())
                    .and_then(|pid| Asked::of(pid).map(|asked| (pid, asked)).map_err(|_| ()));
                let Ok((pid, asked)) = asked else {
                    let hint = "; or start it with HAKMEM_STATS=json:PATH and HAKMEM_STATS_SIGNAL=USR2, and it tells by itself";
                    return Err(Error::with(error.status, error.message + hint));
                };
                output::complain(&format!("{}; what follows is what it says of itself when asked", error.message));
                Ok(Source::Statistics(pid, asked))
            }
            Err(error) => Err(error),
        }
    }

    fn look(&mut self) -> Result<Report> {
        match self {
            Source::Memory(remote, reporter) => reporter.take(remote),
            Source::Statistics(pid, asked) => {
                let statistics = asked.ask(Duration::from_secs(5))?;
                Ok(statistics::report(&statistics, maps::resident_about(*pid)))
            }
        }
    }
}

/// The process that is meant where none is named.
fn only_served() -> Result<OsString> {
    let served = target::served();
    match served.as_slice() {
        [(pid, _)] => Ok(pid.to_string().into()),
        [] => Err(Error::with(NOT_SERVED, "HAKMEM serves no process that may be looked at; name one by its number")),
        many => {
            let list: Vec<String> = many.iter().map(|(pid, name)| format!("{pid} ({name})")).collect();
            Err(Error::usage(format!("HAKMEM serves several processes, name one: {}", list.join(", "))))
        }
    }
}
