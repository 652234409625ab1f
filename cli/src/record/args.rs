//! The command line of `hakmem record`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ValueEnum, ValueHint};

use crate::args::common::{KnobArgs, LibraryArgs};

#[derive(clap::Args)]
#[command(after_help = "Without -o the trace is hakmem.PROG.hkt in the current directory.\n\n\
    Exit status: the program's, as for run; 1: the trace can't be written, or nothing was recorded; 2: wrong arguments.")]
pub(crate) struct RecordArgs {
    #[command(flatten)]
    pub(crate) library: LibraryArgs,
    #[command(flatten)]
    pub(crate) knobs: KnobArgs,
    /// Write the trace to FILE
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Which traces of child processes to keep, as FILE with their number
    #[arg(long, value_name = "WHICH", default_value = "some")]
    pub(crate) children: Children,
    /// Keep the raw form, as the library wrote it
    #[arg(long)]
    pub(crate) raw: bool,
    /// Write no summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "PROG", value_hint = ValueHint::CommandWithArguments)]
    pub(crate) program: Vec<OsString>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum Children {
    /// Those of 1,000 events or more
    Some,
    All,
    None,
}
