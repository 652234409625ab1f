//! The command line of `hakmem replay`.

use std::path::PathBuf;

use clap::{ValueEnum, ValueHint};

use super::layout::Touch;
use crate::args::common::LibraryArgs;

#[derive(clap::Args)]
#[command(
    after_help = "Exit status: 0; 1 when the replay failed under any allocator, or the trace is damaged; 130 when interrupted; 2: wrong \
    arguments."
)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    pub(crate) library: LibraryArgs,
    /// Only these beside the system's malloc and HAKMEM: mimalloc, jemalloc, tcmalloc, …, NAME=PATH, or none [default: all
    /// that are installed]
    #[arg(long = "with", value_name = "LIST", value_delimiter = ',')]
    pub(crate) with: Vec<String>,
    /// Rounds: each replays the trace once under every allocator, and once more with every call timed
    #[arg(short = 'n', long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) runs: u32,
    /// As many threads as in the trace, or one that does what all of them did
    #[arg(long, value_name = "HOW", default_value = "as-recorded")]
    pub(crate) threads: Threads,
    /// As fast as can be, or no call before its time in the trace
    #[arg(long, value_name = "HOW", default_value = "max")]
    pub(crate) speed: Speed,
    /// What is written to each block
    #[arg(long, value_name = "WHAT", default_value = "pages")]
    pub(crate) touch: Touch,
    /// Write all figures as JSON instead of the tables
    #[arg(long)]
    pub(crate) json: bool,
    /// Write a page with the curves
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) html: Option<PathBuf>,
    /// Leave out the rounds in which every call is timed
    #[arg(long)]
    pub(crate) no_latencies: bool,
    /// Kill a run that takes longer, and count it as failed
    #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) timeout: Option<u32>,
    /// Write the plan of the replay for the benchmarks, which start it themselves
    #[arg(long, hide = true, value_name = "FILE")]
    pub(crate) save_plan: Option<PathBuf>,
    /// The trace
    #[arg(value_name = "TRACE", value_hint = ValueHint::FilePath)]
    pub(crate) trace: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Threads {
    AsRecorded,
    #[value(name = "1")]
    One,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Speed {
    Max,
    Real,
}
