//! `hakmem record`: a program on HAKMEM, every call of malloc and free written down, and the trace in the form that is kept.

pub(crate) mod args;
mod files;
mod kept;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::{Context, Error, Result};
use crate::library::Library;
use crate::measure::{Ending, Launch, Outcome};
use crate::options;
use crate::output;
use crate::run::{environment, warn_unserved};
use crate::signals;
use crate::table::{Align, Table};
use crate::units;
use args::{Children, RecordArgs};
use files::Raw;
use kept::Kept;

const OPTION: &str = "HAKMEM_RECORD";
/// Events of a child's trace that make it worth a file.
const FEW: u64 = 1000;

pub(crate) fn record(args: RecordArgs) -> Result<u8> {
    let library = Library::find(&args.library)?;
    let variables = options::variables(&args.knobs, &library)?;
    if library.knobs().is_ok_and(|knobs| knobs.iter().all(|knob| knob.name != OPTION)) {
        return Err(Error::with(125, format!("{}: too old to record", library.path.display())));
    }
    let to = args.output.clone().unwrap_or_else(|| default_name(&args));
    // Beside what it becomes: there is where the room is looked for.
    let folder = folder_beside(&to)?;
    let setting = files::setting(folder.path())?;
    warn_unserved(&args.program);
    let mut environment = environment(&library, variables);
    environment.push((OPTION.into(), Some(setting)));
    signals::catch();
    let launch =
        Launch { program: &args.program, environment, stdin: None, output: None, timeout: None, started: None };
    let outcome = launch.run(None)?;
    signals::ignore_sigpipe();
    if args.quiet && matches!(outcome.ending, Ending::Killed { .. }) {
        output::complain(&format!("{}: {}", output::shorten(&output::quote(&args.program), 60), outcome.ending.text()));
    }
    let (own, others) = files::found(folder.path(), outcome.pid)?;
    let Some(own) = own else {
        output::complain("nothing was recorded: the program asked for no memory, or HAKMEM did not serve it");
        return Ok(if outcome.ending.status() == 0 { 1 } else { outcome.ending.status() });
    };
    let mut done = Done { own: keep(&args, &own, &to)?, raw_bytes: own.bytes(), children: Vec::new(), left_out: 0 };
    for other in others {
        done.child(&args, &other, &to)?;
    }
    if !args.quiet {
        output::note(&done.text(&args, &outcome));
    }
    for complaint in &done.own.complaints {
        output::complain(&format!("{}: {complaint}", to.display()));
    }
    remove(folder);
    Ok(outcome.ending.status())
}

/// Programs that are still running may put files into it meanwhile; later ones find it gone.
fn remove(folder: TempDir) {
    let path = folder.keep();
    (0..20).any(|_| std::fs::remove_dir_all(&path).is_ok());
}

fn default_name(args: &RecordArgs) -> PathBuf {
    let program = args.program.first().map(Path::new).and_then(Path::file_name).unwrap_or_default();
    PathBuf::from(format!("hakmem.{}.hkt", program.to_string_lossy()))
}

fn folder_beside(to: &Path) -> Result<TempDir> {
    if to.is_dir() {
        return Err(Error::new(format!("{}: is a directory", to.display())));
    }
    let parent = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Absolute: the program may change its directory before its first call.
    let parent = parent.canonicalize().context(to.display())?;
    TempDir::with_prefix_in(".hakmem-", parent).context(to.display())
}

/// What became of the raw files.
struct Done {
    own: Kept,
    raw_bytes: u64,
    children: Vec<PathBuf>,
    left_out: u64,
}

fn keep(args: &RecordArgs, raw: &Raw, to: &Path) -> Result<Kept> {
    if args.raw { kept::as_it_is(&raw.path, to) } else { kept::convert(&raw.path, to) }
}

impl Done {
    /// Keeps the trace of a child, or of what the process was before it became another program.
    fn child(&mut self, args: &RecordArgs, raw: &Raw, own: &Path) -> Result<()> {
        if args.children == Children::None {
            self.left_out += 1;
            return Ok(());
        }
        let to = raw.beside(own);
        // One that the program truncated, say, is no reason to do without the others.
        match keep(args, raw, &to) {
            Ok(kept) if args.children == Children::Some && kept.events < FEW => {
                std::fs::remove_file(&to).context(to.display())?;
                self.left_out += 1;
            }
            Ok(_) => self.children.push(to),
            Err(error) => output::complain(&format!("process {}: {}", raw.process, error.message)),
        }
        Ok(())
    }

    fn text(&self, args: &RecordArgs, outcome: &Outcome) -> String {
        let mut table = Table::new(&[Align::Left, Align::Left]);
        let own = &self.own;
        let threads = units::number(own.threads.into(), "thread");
        table.row(["recorded", &format!("{} of {threads}", units::number(own.events, "event"))]);
        table.row(["time", &units::seconds(outcome.cost.wall_s)]);
        let blocks = units::number(own.peak_blocks, "block");
        table.row(["live at most", &format!("{} in {blocks}", units::bytes(own.peak_bytes as f64))]);
        let raw = if args.raw { String::new() } else { format!(", raw {}", units::bytes(self.raw_bytes as f64)) };
        table.row(["trace", &format!("{}, {}{raw}", own.path.display(), units::bytes(own.bytes as f64))]);
        if let Some(children) = self.children_text(args) {
            table.row(["other processes", &children]);
        }
        table.row(["next", &format!("hakmem replay {}", output::quote(&[&own.path]))]);
        let command = output::shorten(&output::quote(&args.program), 60);
        format!("hakmem: {command}: {}\n{}", outcome.ending.text(), table.text("  "))
    }

    fn children_text(&self, args: &RecordArgs) -> Option<String> {
        let mut parts = Vec::new();
        if let Some(first) = self.children.first() {
            let more = if self.children.len() > 1 { ", …" } else { "" };
            parts.push(format!("{} ({}{more})", units::number(self.children.len() as u64, "trace"), first.display()));
        }
        if self.left_out > 0 {
            let few = if args.children == Children::None { "" } else { " of few events" };
            parts.push(format!("{}{few} left out", units::number(self.left_out, "trace")));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}
