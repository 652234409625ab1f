//! The command line of `hakmem trace`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum, ValueHint};

#[derive(Subcommand)]
pub(crate) enum TraceCommand {
    /// Show what is in a trace: sizes, lifetimes, peaks, frees by other threads, churn
    Stats(TraceStatsArgs),
    /// Write a raw trace, as the library leaves it when its program is killed, in the form that is kept
    Convert(TraceFilesArgs),
    /// Read a trace that others wrote
    Import(TraceImportArgs),
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

#[derive(clap::Args)]
pub(crate) struct TraceImportArgs {
    /// What wrote it
    #[arg(long = "from", value_name = "FORM")]
    pub(crate) form: Form,
    /// The trace to read
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) input: PathBuf,
    /// The trace to write
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Form {
    /// The text of Android's record_allocs and memory_replay
    Android,
    /// The workload of glibc's trace2wl and trace_run
    Glibc,
}
