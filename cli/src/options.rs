//! `hakmem options`: the library's own table of its switches.

use crate::args::OptionsArgs;
use crate::args::common::KnobArgs;
use crate::error::{Error, Result};
use crate::library::{self, Library};
use crate::output;
use crate::table::{Align, Table};

pub(crate) fn options(args: OptionsArgs) -> Result<u8> {
    let library = Library::find(&args.library)?;
    let knobs = library.knobs()?;
    if args.json {
        output::print_json(&serde_json::json!({ "library": library.path.to_string_lossy(), "options": knobs }))?;
        return Ok(0);
    }
    let mut table = Table::new(&[Align::Left; 5]);
    table.row(["option", "default", "range", "changes", ""]);
    for knob in knobs {
        let changes = if knob.live { "also while running" } else { "at start" };
        table.row([knob.name, knob.default, knob.range, changes.to_owned(), knob.help]);
    }
    output::print(&table.text(""))?;
    Ok(0)
}

/// The variables that the flags stand for. Names that the library does not have are errors here, where the
/// library itself would only say so and go on.
pub(crate) fn variables(args: &KnobArgs, library: &Library) -> Result<Vec<(String, String)>> {
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut put = |name: &str, value: &str| variables.push((library::full_name(name), value.to_owned()));
    if let Some(milliseconds) = args.decay_ms {
        put("decay_ms", &milliseconds.to_string());
    }
    if let Some(target) = &args.stats {
        put("stats", target);
    }
    if args.hardened {
        put("hardened", "1");
    }
    if args.no_tiny_heap {
        put("tiny_heap_v2", "0");
    }
    for (name, value) in &args.set {
        put(name, value);
    }
    if !variables.is_empty() {
        let knobs = library.knobs()?;
        if let Some((name, _)) = variables.iter().find(|(name, _)| knobs.iter().all(|knob| knob.name != *name)) {
            return Err(Error::usage(format!("the library has no option {name} (hakmem options lists them)")));
        }
    }
    Ok(variables)
}
