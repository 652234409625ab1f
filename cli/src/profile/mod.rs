//! `hakmem profile`: which code holds the memory. A program is run under the library's profiler, a process is told to turn it on, or
//! profiles are read; names are found, and it is all put on one page.

pub(crate) mod args;
mod attach;
pub(crate) mod book;
mod debug_file;
mod export;
mod names;
mod page;
pub(crate) mod pprof;
mod session;
pub(crate) mod sites;
mod summary;
pub(crate) mod symbols;
mod timeline;
mod wire;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Context, Error, NO_PROCESS, NOT_SERVED, Result};
use crate::library::Library;
use crate::measure::Ending;
use crate::options;
use crate::output;
use crate::process;
use crate::remote::target;
use crate::run;
use crate::signals;
use crate::units;

use args::{At, ProfileArgs};
use book::Book;
use page::Page;
use pprof::Raw;
use session::{Occasion, Often, Session, Written};
use symbols::Resolver;
use timeline::Timeline;

/// One sample in this many bytes: the library's own default suits servers, and would see little of a program of a second.
const RATE: u64 = 64 << 10;
/// Asks the program for a profile; most that handle signals leave this one alone.
const SIGNAL: &str = "USR2";
/// How long a running process is profiled.
const PERIOD: Duration = Duration::from_secs(10);

pub(crate) fn profile(args: ProfileArgs) -> Result<u8> {
    for file in [&args.output, &args.pprof, &args.folded].into_iter().flatten() {
        output::check_writable(file)?;
    }
    match (&*args.diff, &args.target) {
        ([old, new], _) => files(&args, &[old, new], true),
        (_, Some(target)) => match target::number(target) {
            Some(pid) => running(&args, pid),
            None => files(&args, &[Path::new(target)], false),
        },
        _ => program(&args),
    }
}

/// All that is shown, however it came about.
struct Shown {
    book: Book,
    title: String,
    about: String,
    when: &'static str,
    notes: Vec<String>,
    timeline: Option<Timeline>,
    chosen: usize,
    base: Option<usize>,
    program: Option<String>,
    /// For a file's name.
    name: String,
    /// Below which the program's files are.
    root: PathBuf,
}

fn program(args: &ProfileArgs) -> Result<u8> {
    let library = Library::find(&args.library)?;
    let mut variables = options::variables(&args.knobs, &library)?;
    variables.push(("HAKMEM_PROF".to_owned(), "1".to_owned()));
    variables.push(("HAKMEM_PROF_RATE".to_owned(), args.rate.unwrap_or(RATE).to_string()));
    // Written anew whenever a tenth more is live: of a program that is killed, or ends by _exit, it is all there is.
    variables.push(("HAKMEM_PROF_PEAKS".to_owned(), "1".to_owned()));
    let often = match args.at {
        At::Every(period) => {
            variables.push(("HAKMEM_PROF_SIGNAL".to_owned(), SIGNAL.to_owned()));
            signals::number(SIGNAL).map(|signal| Often { period, signal })
        }
        _ => None,
    };
    run::warn_unserved(&args.program);
    signals::catch();
    let Session { outcome, profiles, timeline } =
        session::run(&args.program, run::environment(&library, variables), often)?;
    signals::ignore_sigpipe();
    let command = output::quote(&args.program);
    let status = outcome.ending.status();
    if profiles.is_empty() {
        let short = output::shorten(&command, 60);
        let why = match outcome.ending {
            Ending::Exit(_) => format!("HAKMEM did not serve it (hakmem doctor -- {short}), or it ended by _exit"),
            _ => outcome.ending.text(),
        };
        let status = if status == 0 { NOT_SERVED } else { status };
        return Err(Error::with(status, format!("{short} wrote no profile: {why}")));
    }
    let mut shown = Shown::new(command, name_of(args.program.first()));
    shown.timeline = Some(Timeline { most: outcome.cost.peak_rss_kib << 10, ..timeline });
    shown.add(&profiles, outcome.pid)?;
    shown.about = format!(
        "{}; CPU {}; {} page faults",
        outcome.ending.text(),
        units::seconds(outcome.cost.cpu_s()),
        units::count(outcome.cost.faults())
    );
    shown.write(args)?;
    Ok(status)
}

fn running(args: &ProfileArgs, pid: i32) -> Result<u8> {
    if !process::exists(pid) {
        return Err(Error::with(NO_PROCESS, format!("there is no process {pid}")));
    }
    let attached = attach::attach(pid, args.period.unwrap_or(PERIOD), args.at)?;
    let name = name_of(process::command(attached.pid).first());
    let mut shown = Shown::new(attached.command, name);
    shown.about = format!("process {}; profiled for {}", attached.pid, units::seconds(attached.seconds));
    shown.when = "at the end";
    shown.timeline = Some(attached.timeline);
    shown.root = attached.root;
    shown.add(&attached.profiles, attached.pid)?;
    shown.write(args)?;
    Ok(0)
}

fn files(args: &ProfileArgs, files: &[&Path], compared: bool) -> Result<u8> {
    let mut resolver = Resolver::default();
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let mut shown = Shown::new(names.join(" → "), "profile".to_owned());
    shown.book.compared = compared;
    for (file, name) in files.iter().zip(&names) {
        let raw = Raw::read(file)?;
        shown.book.add(&raw, &mut resolver, name.clone(), 0)?;
        shown.program = raw.program.or(shown.program);
    }
    shown.when = "when it was taken";
    shown.chosen = files.len() - 1;
    shown.base = compared.then_some(0);
    shown.notes = resolver.warnings;
    shown.write(args)?;
    Ok(0)
}

impl Shown {
    fn new(title: String, name: String) -> Shown {
        Shown {
            book: Book::new(),
            title,
            about: String::new(),
            when: "at exit",
            notes: Vec::new(),
            timeline: None,
            chosen: 0,
            base: None,
            program: None,
            name,
            root: PathBuf::new(),
        }
    }

    /// Of the timeline: seconds since 1970.
    fn start(&self) -> f64 {
        self.timeline.as_ref().map_or(0.0, |timeline| timeline.start)
    }

    /// Profiles of a program that ran; the last one of its own is shown first, or that of the process that allocated most.
    fn add(&mut self, profiles: &[Written], main: i32) -> Result<()> {
        let mut resolver = Resolver::below(self.root.clone());
        let processes = profiles.iter().any(|one| one.pid != main);
        for (index, one) in profiles.iter().enumerate() {
            if one.occasion == Occasion::Peak && self.book.add_peak(&one.raw, &mut resolver, one.pid) {
                continue;
            }
            let next = profiles.get(index + 1).filter(|next| next.pid == one.pid).map(|next| next.occasion);
            let when = match one.occasion {
                Occasion::Numbered(_) if matches!(next, Some(Occasion::Numbered(_))) => {
                    format!("after {}", units::seconds(one.raw.time_nanos as f64 / 1e9 - self.start()))
                }
                Occasion::Numbered(_) => self.when.to_owned(),
                Occasion::Trouble(when) => when.to_owned(),
                Occasion::Peak => {
                    self.when = "near the peak";
                    "near the peak".to_owned()
                }
            };
            let path = one.raw.program.as_deref().unwrap_or_default();
            let name = path.rsplit('/').next().unwrap_or_default();
            let title = if processes { format!("{name} ({}) {when}", one.pid) } else { when };
            self.book.add(&one.raw, &mut resolver, title, one.pid)?;
        }
        let allocated = |index: usize| self.book.snapshots.get(index).map_or(0, |one| self.book.totals(one)[2]);
        self.chosen = (0..self.book.snapshots.len()).max_by_key(|&index| allocated(index)).unwrap_or(0);
        let process = self.book.snapshots.get(self.chosen).map_or(0, |snapshot| snapshot.process);
        self.program = profiles.iter().find(|one| one.pid == process).and_then(|one| one.raw.program.clone());
        self.notes.append(&mut resolver.warnings);
        Ok(())
    }

    /// Writes all that was asked for.
    fn write(mut self, args: &ProfileArgs) -> Result<()> {
        let lost = self.book.snapshots.iter().find_map(|snapshot| snapshot.lost.clone());
        self.notes.extend(
            lost.map(|lost| format!("The profile is not whole ({lost}): docs/PROFILING.md tells what that means.")),
        );
        let Some(snapshot) = self.book.snapshots.get(self.chosen) else { return Ok(()) };
        let kind = if args.at == At::Peak && snapshot.has_peak { 4 } else { 0 };
        if let Some(file) = &args.pprof {
            fs::write(file, export::pprof(&self.book, snapshot)?).context(file.display())?;
        }
        if let Some(file) = &args.folded {
            output::write_file(file, &export::folded(&self.book, snapshot, kind))?;
        }
        if args.json {
            output::print_json(&summary::json(&self.book, &self.title))?;
        } else if !args.quiet {
            output::note(&format!(
                "hakmem: {}: {}",
                output::shorten(&self.title, 60),
                summary::text(&self.book, snapshot, kind)
            ));
            for note in &self.notes {
                output::complain(&format!("warning: {note}"));
            }
        }
        let other = args.pprof.is_some() || args.folded.is_some() || args.json;
        let file =
            args.output.clone().or_else(|| (!other).then(|| PathBuf::from(format!("hakmem.{}.html", self.name))));
        if let Some(file) = file {
            let page = Page {
                book: &self.book,
                title: &self.title,
                about: self.about,
                when: self.when,
                notes: self.notes,
                timeline: self.timeline.as_ref(),
                kind: if kind == 4 { "peak" } else { "live" },
                chosen: self.chosen,
                base: self.base,
                program: self.program,
            };
            output::write_file(&file, &page.html()?)?;
            if !args.quiet && args.output.is_none() {
                output::note(&format!("the page: {}\n", file.display()));
            }
        }
        Ok(())
    }
}

fn name_of(program: Option<impl AsRef<OsStr>>) -> String {
    let name = program.as_ref().and_then(|name| Path::new(name.as_ref()).file_name());
    name.map_or_else(|| "program".to_owned(), |name| name.to_string_lossy().into_owned())
}
