//! The `hakmem` command: runs programs on the library, compares allocators, shows statistics, looks for obstacles.
//!
//! `args` is the one definition of the command line: parsing, help, completions and man pages come from it.

mod args;
mod chart;
mod compare;
mod doctor;
mod elf;
mod error;
mod explain;
mod histogram;
mod leaks;
mod library;
mod measure;
mod options;
mod output;
mod peers;
mod process;
mod profile;
mod record;
mod remote;
mod replay;
mod run;
mod sample;
mod served;
mod signals;
mod stats;
mod table;
mod top;
mod trace;
mod units;

use clap::Parser;
use std::process::ExitCode;

use args::{Args, Command};

fn main() -> ExitCode {
    replay::replay_if_asked();
    signals::default_sigpipe();
    let result = match Args::parse().command {
        Command::Run(args) => run::run(args),
        Command::Compare(args) => compare::compare(args),
        Command::Profile(args) => profile::profile(args),
        Command::Stats(args) => stats::stats(args),
        Command::Top(args) => top::top(args),
        Command::Explain(args) => explain::explain(args),
        Command::Leaks(args) => leaks::leaks(args),
        Command::Doctor(args) => doctor::doctor(args),
        Command::Record(args) => record::record(args),
        Command::Replay(args) => replay::replay(&args),
        Command::Trace(command) => trace::trace(command),
        Command::Options(args) => options::options(args),
        Command::Completions { shell } => args::write_completions(shell),
        Command::Served => library::print_served(),
        Command::Man { directory } => args::write_man_pages(&directory),
    };
    match result {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            output::complain(&error.message);
            ExitCode::from(error.status)
        }
    }
}
