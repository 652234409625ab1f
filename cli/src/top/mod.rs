//! `hakmem top`: a process's memory as it is now, and now, and now.

pub(crate) mod report;

use crate::args::TopArgs;
use crate::error::{Error, Result};
use crate::output;
use crate::remote::target;
use report::Reporter;

pub(crate) fn top(args: TopArgs) -> Result<u8> {
    let Some(name) = args.target.clone() else { return Err(Error::usage("name a process")) };
    let Some(remote) = target::open(&name)? else {
        return Err(Error::usage(format!("{}: neither a process nor a core file", name.to_string_lossy())));
    };
    let mut reporter = Reporter::new();
    let report = reporter.take(&remote)?;
    output::print_json(&report)?;
    Ok(0)
}
