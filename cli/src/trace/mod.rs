//! Traces: every call of a program's threads to malloc and free, read, written, looked at, changed.
//!
//! `raw` and `merge` read what the library writes, `hkt` and `columns` the file that is kept (docs/TRACES.md). Both give `event`s in one
//! order, which `hkt::Order` vouches for, so whoever reads them never meets an end without a birth.

pub(crate) mod args;
mod columns;
pub(crate) mod event;
pub(crate) mod file;
mod hkt;
mod import;
mod merge;
mod raw;
mod stats;
pub(crate) mod transform;
mod varint;

#[cfg(test)]
mod tests;

use crate::error::Result;
use args::TraceCommand;

pub(crate) fn trace(command: TraceCommand) -> Result<u8> {
    match command {
        TraceCommand::Stats(args) => stats::stats(&args),
        TraceCommand::Convert(args) => transform::convert(&args),
        TraceCommand::Import(args) => import::import(&args),
        TraceCommand::Anonymise(args) => transform::anonymise(&args),
    }
}
