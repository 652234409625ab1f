//! `hakmem replay`: the calls of a trace, on every allocator, in interleaved rounds.
//!
//! `plan` works out beforehand what each thread does; `child`, `stage` and `worker` are the process that does it, which is this program
//! started anew under an allocator; `session` starts it and reads its `results`; `report` and `page` show them.

pub(crate) mod args;
mod child;
mod layout;
mod page;
mod plan;
mod report;
mod results;
mod session;
mod stage;
mod ticks;
mod worker;

use args::{ReplayArgs, Speed, Threads};
use plan::{Manner, Plan};
use report::Report;
use session::Session;

use crate::error::{Context, Result};
use crate::library::Library;
use crate::trace::file::Trace;
use crate::{output, peers, signals};

pub(crate) use child::replay_if_asked;

pub(crate) fn replay(args: &ReplayArgs) -> Result<u8> {
    let library = Library::find(&args.library)?;
    let allocators = peers::choose(&library, &args.with)?;
    if let Some(file) = &args.html {
        output::check_writable(file)?;
    }
    let manner = Manner { one_thread: args.threads == Threads::One, real_speed: args.speed == Speed::Real };
    let (plan, trace) = Plan::build(|| Trace::open(&args.trace), manner)?;
    for note in trace.totals().complaints() {
        output::complain(&format!("{}: {note}", args.trace.display()));
    }
    if let Some(file) = &args.save_plan {
        std::io::copy(&mut plan.rewound()?, &mut std::fs::File::create(file).context(file.display())?)
            .context(file.display())?;
        return Ok(0);
    }
    signals::catch();
    let measured = Session::new(args, allocators, &plan).measure()?;
    let report = Report::new(args, &plan, &trace, measured);
    if let Some(file) = &args.html {
        output::write_file(file, &page::html(&report))?;
    }
    output::print(&if args.json { report.json()? } else { report.text() })?;
    if let Some(signal) = report.interrupted {
        output::complain(&format!(
            "interrupted by {}: the figures are those measured until then",
            signals::name(signal)
        ));
        return Ok(128u8.saturating_add(signal as u8));
    }
    Ok(u8::from(report.allocators.iter().any(|one| one.failure.is_some())))
}
