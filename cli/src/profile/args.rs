//! The command line of `hakmem profile`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueHint;

use crate::args::common::{KnobArgs, LibraryArgs};

#[derive(clap::Args)]
#[command(
    after_help = "Without -o, --pprof, --folded and --json the page is hakmem.PROG.html in the current directory.\n\n\
    Exit status: the program's, as for run; 1: a file is no profile, or can't be written; 2: wrong arguments; 3: there is \
    no such process; 4: it may not be looked at; 5: HAKMEM does not serve it."
)]
pub(crate) struct ProfileArgs {
    #[command(flatten)]
    pub(crate) library: LibraryArgs,
    #[command(flatten)]
    pub(crate) knobs: KnobArgs,
    /// Write the page to FILE
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Write the profile in pprof's form, names in it, gzipped
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) pprof: Option<PathBuf>,
    /// Write folded stacks, as flame graph programs read them
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) folded: Option<PathBuf>,
    /// When: exit, peak, or every=10s for a series of profiles
    #[arg(long, value_name = "WHEN", default_value = "exit", value_parser = At::parse)]
    pub(crate) at: At,
    /// One sample in BYTES allocated; 1 sees every allocation [default: 65536]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rate: Option<u64>,
    /// Compare two profiles: red is more in NEW, blue less
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], value_hint = ValueHint::FilePath, conflicts_with_all = ["target", "program"])]
    pub(crate) diff: Vec<PathBuf>,
    /// Write every stack and its figures as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Write no summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// How long to profile a running process [default: 10s]
    #[arg(long = "for", value_name = "TIME", conflicts_with_all = ["program", "diff"], value_parser = read_duration)]
    pub(crate) period: Option<Duration>,
    /// A profile in pprof's form, or the number of a process that was started with HAKMEM_PROF_SIGNAL (./123 is a file)
    #[arg(value_name = "FILE|PID", required_unless_present_any = ["program", "diff"], value_hint = ValueHint::FilePath)]
    pub(crate) target: Option<OsString>,
    /// The program and its arguments
    #[arg(last = true, conflicts_with = "target", value_name = "PROG", value_hint = ValueHint::CommandWithArguments)]
    pub(crate) program: Vec<OsString>,
}

/// When a profile is taken.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum At {
    Exit,
    Peak,
    Every(Duration),
}

impl At {
    fn parse(text: &str) -> std::result::Result<At, String> {
        match text {
            "exit" => Ok(At::Exit),
            "peak" => Ok(At::Peak),
            _ => {
                let period = text.strip_prefix("every=").and_then(duration);
                period
                    .map(At::Every)
                    .ok_or_else(|| "it is not exit, peak or every=TIME, as every=10s or every=500ms".to_owned())
            }
        }
    }
}

fn read_duration(text: &str) -> std::result::Result<Duration, String> {
    duration(text).ok_or_else(|| "it is not a time, as 10s, 500ms or 2m".to_owned())
}

/// `10s`, `500ms`, `2m`; a hundredth of a second at least.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" | "" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let total = number.parse::<u64>().ok()?.checked_mul(milliseconds)?;
    (total >= 10).then(|| Duration::from_millis(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, milliseconds) in [("10s", 10_000), ("500ms", 500), ("2m", 120_000), ("3", 3000)] {
            assert_eq!(duration(text), Some(Duration::from_millis(milliseconds)));
        }
        for wrong in ["", "s", "0", "5ms", "1x", "-1s", "99999999999999999999s"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
