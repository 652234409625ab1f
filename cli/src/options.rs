//! `hakmem options`: the library's own table of its switches.

use crate::args::{KnobArgs, OptionsArgs};
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
    let mut table = Table::new(&[Align::Left; 4]);
    table.row(["option", "default", "range", ""]);
    for knob in knobs {
        table.row([knob.name, knob.default, knob.range, knob.help]);
    }
    output::print(&table.text(""))?;
    Ok(0)
}

/// The variables that the flags stand for. Names that the library does not have are errors here, where the
/// library itself would only say so and go on.
pub(crate) fn variables(args: &KnobArgs, library: &Library) -> Result<Vec<(String, String)>> {
    let mut variables: Vec<(String, String)> =
        args.set.iter().map(|(name, value)| (library::full_name(name), value.clone())).collect();
    if !variables.is_empty() {
        let knobs = library.knobs()?;
        if let Some((name, _)) = variables.iter().find(|(name, _)| knobs.iter().all(|knob| knob.name != *name)) {
            return Err(Error::usage(format!("--set: the library has no option {name} (hakmem options lists them)")));
        }
    }
    if let Some(milliseconds) = args.decay_ms {
        variables.push(("HAKMEM_DECAY_MS".to_owned(), milliseconds.to_string()));
    }
    if args.no_tiny_heap {
        variables.push(("HAKMEM_TINY_HEAP_V2".to_owned(), "0".to_owned()));
    }
    Ok(variables)
}
