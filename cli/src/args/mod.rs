//! The command line, defined once: parser, help, completions and man pages come from here.

pub(crate) mod common;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};

use common::{KnobArgs, LibraryArgs};

use crate::error::{Context, Result};
use crate::output;
use crate::profile::args::ProfileArgs;
use crate::record::args::RecordArgs;
use crate::replay::args::ReplayArgs;
use crate::trace::args::TraceCommand;

/// Runs programs on the HAKMEM malloc, and shows what that gives them
#[derive(Parser)]
#[command(name = "hakmem", version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run a program on HAKMEM and say what it cost
    Run(RunArgs),
    /// Run a program on every allocator installed, and say which serves it best
    Compare(CompareArgs),
    /// Show which code holds the memory: a program's heap profile as a page
    Profile(ProfileArgs),
    /// Show the statistics that HAKMEM wrote, or that a running process writes when asked
    Stats(StatsArgs),
    /// Watch the memory of a process: what its malloc holds, by class and by thread
    Top(TopArgs),
    /// Say why a process takes the memory it takes, and what to do about it
    Explain(ExplainArgs),
    /// Find the blocks of a process that nothing points to any more
    Leaks(LeaksArgs),
    /// Find out what keeps HAKMEM from serving a program, or from serving it well
    Doctor(DoctorArgs),
    /// Run a program on HAKMEM, and write down its calls to malloc and free
    Record(RecordArgs),
    /// Run a trace's calls to malloc and free again, on every allocator: time, memory, latencies
    Replay(ReplayArgs),
    /// Look at traces of malloc and free, and change them
    #[command(subcommand)]
    Trace(TraceCommand),
    /// List the library's options
    Options(OptionsArgs),
    /// Print a completion script for a shell
    #[command(after_help = "Example: hakmem completions bash > ~/.local/share/bash-completion/completions/hakmem")]
    Completions { shell: Shell },
    /// Print the version of the HAKMEM that serves this process: how a library is asked for its own
    #[command(hide = true)]
    Served,
    /// Write the man pages into a directory
    #[command(hide = true)]
    Man {
        #[arg(value_hint = ValueHint::DirPath)]
        directory: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

#[derive(clap::Args)]
#[command(
    after_help = "Exit status: the program's; 128 + N when signal N killed it; 127: not found; 126: can't be executed; \
    125: the library can't be used; 2: wrong arguments."
)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) library: LibraryArgs,
    #[command(flatten)]
    pub(crate) knobs: KnobArgs,
    /// Write the summary as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the summary to FILE instead of stderr
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Write no summary
    #[arg(short, long, conflicts_with_all = ["json", "output"])]
    pub(crate) quiet: bool,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "PROG", value_hint = ValueHint::CommandWithArguments)]
    pub(crate) program: Vec<OsString>,
}

#[derive(clap::Args)]
#[command(
    after_help = "Exit status: 0; 1 when the program failed under any allocator; 126 and 127 as for run; 130 when interrupted: \
    what was measured by then is shown; 2: wrong arguments."
)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    pub(crate) library: LibraryArgs,
    /// Only these beside the system's malloc and HAKMEM: mimalloc, jemalloc, tcmalloc, …, NAME=PATH, or none [default: all
    /// that are installed]
    #[arg(long = "with", value_name = "LIST", value_delimiter = ',')]
    pub(crate) with: Vec<String>,
    /// Rounds: each runs the program once under every allocator
    #[arg(short = 'n', long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) rounds: u32,
    /// Write a page with the chart
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) html: Option<PathBuf>,
    /// Write the chart
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) svg: Option<PathBuf>,
    /// Write all figures as JSON instead of the table
    #[arg(long)]
    pub(crate) json: bool,
    /// Let the program write to the terminal; otherwise its output is dropped
    #[arg(long)]
    pub(crate) show_output: bool,
    /// The program's standard input, opened anew for each run [default: /dev/null]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) input: Option<PathBuf>,
    /// The exit status that means success
    #[arg(long, value_name = "STATUS", default_value_t = 0)]
    pub(crate) expect_status: u8,
    /// Kill a run that takes longer, and count it as failed
    #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) timeout: Option<u32>,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "PROG", value_hint = ValueHint::CommandWithArguments)]
    pub(crate) program: Vec<OsString>,
}

#[derive(clap::Args)]
pub(crate) struct StatsArgs {
    /// A file that HAKMEM_STATS=json:FILE wrote, or the number of a process (./123 is a file)
    #[arg(value_name = "FILE|PID", value_hint = ValueHint::FilePath)]
    pub(crate) target: OsString,
    /// Write the statistics as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Show them again every SECS seconds
    #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) watch: Option<u32>,
    /// How long to wait for a process to write its statistics
    #[arg(long, value_name = "SECS", default_value_t = 5)]
    pub(crate) timeout: u32,
}

/// Why a process could not be looked at.
const LOOK_STATUS: &str =
    "Exit status: 0; 3: no such process; 4: no permission; 5: not served by HAKMEM; 2: wrong arguments.";

#[derive(clap::Args)]
#[command(after_help = LOOK_STATUS)]
pub(crate) struct TopArgs {
    /// The process, by number or name, or a core file [default: the only process that HAKMEM serves]
    #[arg(value_name = "PID|NAME|CORE", value_hint = ValueHint::FilePath)]
    pub(crate) target: Option<OsString>,
    /// Show it once, as text, instead of a screen that goes on
    #[arg(long)]
    pub(crate) once: bool,
    /// Write it as JSON: one object with --once, else one each time
    #[arg(long)]
    pub(crate) json: bool,
    /// How long from one look to the next; longer where looking takes long
    #[arg(short = 'd', long, value_name = "SECS", default_value_t = 1.0, value_parser = seconds)]
    pub(crate) delay: f64,
}

#[derive(clap::Args)]
#[command(after_help = LOOK_STATUS)]
pub(crate) struct ExplainArgs {
    /// The process, by number or name; a core file; or what `hakmem top --once --json` wrote
    #[arg(value_name = "PID|CORE|FILE", value_hint = ValueHint::FilePath)]
    pub(crate) target: OsString,
    /// A profile of the process (HAKMEM_PROF=1 or hak_prof_dump), to name the places in the program
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) profile: Option<PathBuf>,
    /// Write it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

fn seconds(text: &str) -> std::result::Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|&seconds| (0.05..=86_400.0).contains(&seconds))
        .ok_or_else(|| "it is not 0.05 to 86400".to_owned())
}

#[derive(clap::Args)]
#[command(
    after_help = "Exit status: 0; with --fail 1 when anything is lost; 2: wrong arguments; 3: there is no such process; 4: it may not \
    be stopped or read; 5: HAKMEM does not serve it."
)]
pub(crate) struct LeaksArgs {
    /// A process by its number or name, or a core file (./123 is a file)
    #[arg(value_name = "PID|NAME|CORE", value_hint = ValueHint::FilePath)]
    pub(crate) target: OsString,
    /// Write all lost blocks as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Show so many groups of blocks
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) top: u32,
    /// End with status 1 when anything is lost
    #[arg(long)]
    pub(crate) fail: bool,
}

#[derive(clap::Args)]
#[command(after_help = "Exit status: 1 when a line says fail, 3 where there is no such process, else 0.")]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) library: LibraryArgs,
    /// A running process to look at
    #[arg(value_name = "PID", value_parser = clap::value_parser!(i32).range(1..))]
    pub(crate) pid: Option<i32>,
    /// Write the findings as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// A program to look at; it is not run
    #[arg(last = true, conflicts_with = "pid", value_name = "PROG", value_hint = ValueHint::CommandWithArguments)]
    pub(crate) program: Vec<OsString>,
}

#[derive(clap::Args)]
pub(crate) struct OptionsArgs {
    #[command(flatten)]
    pub(crate) library: LibraryArgs,
    /// Write the options as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn write_completions(shell: Shell) -> Result<u8> {
    use clap_complete::{generate, shells};
    let mut command = Args::command();
    let mut script = Vec::new();
    match shell {
        Shell::Bash => generate(shells::Bash, &mut command, "hakmem", &mut script),
        Shell::Zsh => generate(shells::Zsh, &mut command, "hakmem", &mut script),
        Shell::Fish => generate(shells::Fish, &mut command, "hakmem", &mut script),
    }
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(0)
}

/// hakmem.1, and hakmem-run.1 and so on for what `--help` lists.
pub(crate) fn write_man_pages(directory: &Path) -> Result<u8> {
    fs::create_dir_all(directory).context(directory.display())?;
    clap_mangen::generate_to(Args::command(), directory).context(directory.display())?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        Args::command().debug_assert();
    }
}
