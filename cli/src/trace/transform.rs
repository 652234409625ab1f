//! Traces made from traces: in the form that is kept, and without what tells whose they are.

use std::path::Path;

use super::args::TraceFilesArgs;
use super::event::{About, Event, Op, Totals};
use super::file::{self, Trace};
use crate::error::Result;
use crate::output;

pub(crate) fn convert(args: &TraceFilesArgs) -> Result<u8> {
    report(&args.output, &file::convert(&args.trace, &args.output)?);
    Ok(0)
}

/// Neither command, process, date nor times; and the sizes of requests that failed are those of no block.
pub(crate) fn anonymise(args: &TraceFilesArgs) -> Result<u8> {
    let mut trace = Trace::open(&args.trace)?;
    let about = trace.about();
    let kept = About { forked: about.forked, attached: about.attached, ..About::default() };
    let totals = file::write(&args.output, &kept, |writer| {
        while let Some(event) = trace.next()? {
            let op = if matches!(event.op, Op::Failed { .. }) { Op::Failed { size: 0 } } else { event.op };
            writer.event(Event { at: 0, op, ..event })?;
        }
        let notes = Vec::new(); // they may name files
        Ok(Totals { notes, ..trace.totals().clone() })
    })?;
    report(&args.output, &totals);
    Ok(0)
}

/// Says what is in a trace that was written, and what it lacks.
pub(crate) fn report(to: &Path, totals: &Totals) {
    output::note(&format!("hakmem: {}: {}\n", to.display(), totals.text()));
    for note in totals.complaints() {
        output::complain(&format!("{}: {note}", to.display()));
    }
}
