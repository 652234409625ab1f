#!/usr/bin/env bash
# README.md's table of options is the one of src/config/knobs.rs: names, defaults, ranges and help.
set -euo pipefail
cd "$(dirname "$0")/.."

exec python3 -I - <<'END'
import re, sys

def plain(text):
    """A number without its underscores; anything else as it is."""
    text = text.strip('" ')
    return text.replace("_", "") if re.fullmatch(r"-?[0-9][0-9a-fA-Fx_]*", text) else text

def shape(kind, spec):
    """Default and range, as README.md's columns and HAKMEM_HELP=1 show them."""
    if kind == "number":
        default, low, high = re.fullmatch(r"([-\w]+), ([-\w]+)\.\.=([-\w]+)", spec).groups()
        return plain(default), f"{plain(low)}..{plain(high)}"
    if kind == "choice":
        default, names = spec.split(" of ")
        return plain(default), "|".join(plain(name) for name in names.strip("[]").split(","))
    default, _, form = spec.partition(" of ")
    return plain(default), plain(form) or kind

source = open("src/config/knobs.rs").read()
knobs = {name: (*shape(kind, spec), help) for help, name, kind, spec in re.findall(
    r'/// ([^\n]*)\n +\w+: "(\w+)" = (\w+) \((.*)\)(?: live)?;', source)}
rows = {name: (default.strip("`"), values.strip("`").replace("\\|", "|"), help)
        for name, default, values, help in re.findall(
            r"^\| `(HAKMEM_\w+)` \| (\S*) \| (.*?[^\\]) \| (.*) \|$", open("README.md").read(), re.M)}
assert len(knobs) == source.count('"HAKMEM_'), "a knob is written in a form that this script can't read"
wrong = [f"{name}: README.md says {rows.get(name)}, the table of knobs {knobs.get(name)}"
         for name in sorted(knobs.keys() | rows.keys()) if knobs.get(name) != rows.get(name)]
print("\n".join(wrong) or f"{len(knobs)} options: README.md agrees")
sys.exit(bool(wrong))
END
