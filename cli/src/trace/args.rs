//! The command line of `hakmem trace`.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

#[derive(Subcommand)]
pub(crate) enum TraceCommand {
    /// Show what is in a trace: sizes, lifetimes, peaks, frees by other threads, churn
    Stats(TraceStatsArgs),
    /// Write a raw trace, as the library leaves it when its program is killed, in the form that is kept
    Convert(TraceFilesArgs),
    /// Keep sizes, order and threads only: neither the command nor times
    Anonymise(TraceFilesArgs),
}

#[derive(clap::Args)]
pub(crate) struct TraceStatsArgs {
    /// The trace
    #[arg(value_name = "TRACE", value_hint = ValueHint::FilePath)]
    pub(crate) trace: PathBuf,
    /// Write the figures as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(clap::Args)]
pub(crate) struct TraceFilesArgs {
    /// The trace
    #[arg(value_name = "TRACE", value_hint = ValueHint::FilePath)]
    pub(crate) trace: PathBuf,
    /// The file to write
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
}
