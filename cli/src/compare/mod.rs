//! `hakmem compare`: one program under every allocator, in interleaved rounds.

pub(crate) mod page;
pub(crate) mod report;
mod session;
mod verdict;

use std::fs::File;

use crate::args::CompareArgs;
use crate::chart;
use crate::elf::Program;
use crate::error::{Context, Error, Result};
use crate::library::Library;
use crate::output;
use crate::peers;
use crate::signals;

use session::Session;

pub(crate) fn compare(args: CompareArgs) -> Result<u8> {
    let library = Library::find(&args.library)?;
    let allocators = peers::choose(&library, &args.with)?;
    for file in [&args.html, &args.svg].into_iter().flatten() {
        output::check_writable(file)?;
    }
    if let Some(input) = &args.input {
        File::open(input).context(input.display())?;
    }
    let warnings = preflight(&args)?;
    signals::catch();
    let report = Session::new(&args, allocators, warnings).measure()?;
    if let Some(file) = &args.html {
        output::write_file(file, &page::html(&report))?;
    }
    if let Some(file) = &args.svg {
        output::write_file(file, &chart::svg(&report.allocators, true))?;
    }
    output::print(&if args.json { report.json()? } else { report.text() })?;
    let failed = report.allocators.iter().any(|one| one.failure.is_some());
    if let Some(signal) = report.interrupted {
        output::complain(&format!(
            "interrupted by {}: the figures are those measured until then",
            signals::name(signal)
        ));
        return Ok(128u8.saturating_add(signal as u8));
    }
    Ok(u8::from(failed))
}

/// Refuses what no library can be preloaded into: it would be compared with itself.
fn preflight(args: &CompareArgs) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    if let Some(program) = args.program.first().and_then(|name| Program::find(name)) {
        if let Some(obstacle) = &program.obstacle {
            let path = program.path.display();
            return Err(Error::new(format!(
                "{path} can't be compared, for no library can be preloaded: {}",
                obstacle.text()
            )));
        }
        warnings.extend(program.own_malloc.map(|own| format!("{}: {}", program.path.display(), own.text())));
    }
    for warning in &warnings {
        output::complain(&format!("warning: {warning}"));
    }
    Ok(warnings)
}
