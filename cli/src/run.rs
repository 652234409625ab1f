//! `hakmem run`: a program on HAKMEM, its signals and status passed through, and what it cost.

use std::env;
use std::ffi::OsString;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::args::RunArgs;
use crate::elf::Program;
use crate::error::Result;
use crate::library::{self, Library};
use crate::measure::{Ending, Launch, Outcome};
use crate::options;
use crate::output;
use crate::signals;
use crate::stats;
use crate::table::{Align, Table};
use crate::units;

pub(crate) fn run(args: RunArgs) -> Result<u8> {
    let library = Library::find(&args.library)?;
    let variables = options::variables(&args.knobs, &library)?;
    if let Some(file) = &args.output {
        output::check_writable(file)?;
    }
    warn_unserved(&args.program);
    let statistics = Statistics::wanted(&args, &library, &variables);
    let mut environment = environment(&library, variables);
    environment.extend(statistics.as_ref().map(|to| ("HAKMEM_STATS".into(), Some(to.setting()))));
    signals::catch();
    let launch =
        Launch { program: &args.program, environment, stdin: None, output: None, timeout: None, started: None };
    let outcome = launch.run(None)?;
    signals::ignore_sigpipe();
    // The summary says it too, but where nobody may see it.
    let unseen = args.quiet || args.output.is_some() || args.json;
    if unseen && matches!(outcome.ending, Ending::Killed { .. }) {
        output::complain(&format!("{}: {}", output::shorten(&output::quote(&args.program), 60), outcome.ending.text()));
    }
    if !args.quiet {
        let report = statistics.map(|to| to.read(outcome.pid));
        let summary = if args.json {
            output::json(&as_json(&args, &library, &outcome, report.flatten()))?
        } else {
            as_text(&args, &outcome, report)
        };
        match &args.output {
            Some(file) => output::write_file(file, &summary)?,
            None => output::note(&summary),
        }
    }
    Ok(outcome.ending.status())
}

/// Says what keeps the library from serving a program, if that can be seen.
pub(crate) fn warn_unserved(program: &[OsString]) {
    if let Some(program) = program.first().and_then(|name| Program::find(name)) {
        let obstacle = program.obstacle.map(|obstacle| obstacle.text());
        if let Some(text) = obstacle.or(program.own_malloc.map(|own| own.text())) {
            output::complain(&format!("warning: HAKMEM does not serve {}: {text}", program.path.display()));
        }
    }
}

/// What a program's environment gets to be served by the library: the library, and the options.
pub(crate) fn environment(library: &Library, variables: Vec<(String, String)>) -> Vec<(OsString, Option<OsString>)> {
    let mut environment = vec![(library::VARIABLE.into(), None)];
    environment.push(("LD_PRELOAD".into(), Some(library.preload_before(env::var_os("LD_PRELOAD")))));
    environment.extend(variables.into_iter().map(|(name, value)| (name.into(), Some(value.into()))));
    environment
}

/// Where the library writes its statistics for the summary: a file for each process of the tree, in a directory that is
/// removed afterwards.
struct Statistics {
    folder: TempDir,
}

impl Statistics {
    /// `None`: the user has his own wishes for HAKMEM_STATS, or wants no summary, or the library can't.
    fn wanted(args: &RunArgs, library: &Library, variables: &[(String, String)]) -> Option<Statistics> {
        const NAME: &str = "HAKMEM_STATS";
        if args.quiet || env::var_os(NAME).is_some() || variables.iter().any(|(name, _)| name == NAME) {
            return None;
        }
        library.knobs().ok()?.iter().find(|knob| knob.name == NAME && knob.range.contains("json"))?;
        let folder = TempDir::with_prefix("hakmem-").ok()?;
        // % means something there.
        (!folder.path().to_string_lossy().contains('%')).then_some(Statistics { folder })
    }

    fn setting(&self) -> OsString {
        let mut setting = OsString::from("json:");
        setting.push(self.folder.path().join("%p.json"));
        setting
    }

    /// What the program itself wrote, if it came to its end by exit.
    fn read(self, pid: i32) -> Option<Value> {
        stats::read(&self.folder.path().join(format!("{pid}.json"))).ok()
    }
}

/// What a newcomer wants to know, in six lines; the counters are `HAKMEM_STATS=1`'s. `report`: outer `None` where none was
/// asked for.
fn as_text(args: &RunArgs, outcome: &Outcome, report: Option<Option<Value>>) -> String {
    let cost = &outcome.cost;
    let mut table = Table::new(&[Align::Left, Align::Left]);
    let malloc = match &report {
        None => None,
        Some(None) => {
            Some("not known: HAKMEM did not serve the program, or the program did not end by exit".to_owned())
        }
        Some(Some(report)) => stats::served(report),
    };
    if let Some(malloc) = malloc {
        table.row(["malloc", &malloc]);
    }
    let cpu = units::seconds(cost.cpu_s());
    table.row(["time", &format!("{}; CPU {cpu}", units::seconds(cost.wall_s))]);
    table.row(["peak memory", &units::kib(cost.peak_rss_kib as f64)]);
    table.row(["page faults", &units::count(cost.faults())]);
    if let Some(left) = report.flatten().as_ref().and_then(stats::left_at_exit) {
        table.row(["not freed", &left]);
    }
    let command = output::shorten(&output::quote(&args.program), 60);
    let again = format!("hakmem compare -- {command}");
    table.row(["beside the system's malloc", &again]);
    format!("hakmem: {command}: {}\n{}", outcome.ending.text(), table.text("  "))
}

fn as_json(args: &RunArgs, library: &Library, outcome: &Outcome, report: Option<Value>) -> Value {
    let signal = match outcome.ending {
        Ending::Killed { signal, .. } => Some(signals::name(signal)),
        _ => None,
    };
    json!({
        "schema": 1,
        "command": output::quote(&args.program),
        "library": library.path.to_string_lossy(),
        "status": outcome.ending.status(),
        "signal": signal,
        "cost": outcome.cost,
        "statistics": report,
    })
}
