//! `hakmem explain`: why is so much resident? One page: each part of it, what to do about it, and how much that would give.

mod lines;
mod sites;
mod text;

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::args::ExplainArgs;
use crate::error::{Context, Error, Result};
use crate::output;
use crate::remote::target;
use crate::top::report::{Report, Reporter};
use crate::top::statistics;

pub(crate) fn explain(args: ExplainArgs) -> Result<u8> {
    let report = look(&args.target)?;
    let mut explained = lines::explain(&report);
    if let Some(profile) = &args.profile {
        explained.name_sites(sites::pinned(profile, &report)?);
    }
    if args.json {
        output::print_json(&explained)?;
    } else {
        output::print(&text::text(&report, &explained))?;
    }
    Ok(0)
}

fn look(name: &OsStr) -> Result<Report> {
    match target::open(name)? {
        Some(remote) => Reporter::new().take(&remote),
        None => file(Path::new(name)),
    }
}

/// What `hakmem top --once --json` wrote, or the library's own statistics.
fn file(path: &Path) -> Result<Report> {
    let text = fs::read(path).context(path.display())?;
    let no =
        || Error::usage(format!("{}: neither a process, a core file, nor figures of HAKMEM as JSON", path.display()));
    let value: Value = serde_json::from_slice(&text).map_err(|_| no())?;
    if value.get("allocator").and_then(Value::as_str) != Some("hakmem") {
        return Err(no());
    }
    if value.get("resident").is_some() {
        return serde_json::from_value(value).context(path.display());
    }
    if value.get("totals").is_none() {
        return Err(no());
    }
    Ok(statistics::report(&value, None))
}
