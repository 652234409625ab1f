#!/usr/bin/env bash
# README.md's table of options is the one of src/config/knobs.rs: names, defaults, ranges and help. Those that can be changed
# while a program runs are named below it. docs/STATISTICS.md lists what src/report/table.rs has.
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

readme = open("README.md").read()
live = set(re.findall(r'"(HAKMEM_\w+)" = [^;]* live;', source))
named = set(re.findall(r"HAKMEM_\w+", re.search(r"`hak_option_set` changes ([^.]*)\.", readme)[1]))
if live != named:
    wrong.append(f"README.md: hak_option_set: {', '.join(sorted(live ^ named))}")

table = open("src/report/table.rs").read()
counters = {(name, (box.strip() or None, kind.lower(), help)) for help, box, name, kind in re.findall(
    r"    /// ([^\n]*)\n    (\w+ |)(\w+): (Gauge|Counter) =", table)}
shown = {(name, (box[:-3] if box else None, kind, help)) for name, box, kind, help in re.findall(
    r"^\| `(\w+)` \| (\w+ \| |)(gauge|counter) \| (.*) \|$", open("docs/STATISTICS.md").read(), re.M)}
assert len(counters) == len(re.findall(r": (?:Gauge|Counter) =", table)), "a counter is written in a form that this script can't read"
wrong += [f"docs/STATISTICS.md and src/report/table.rs: {name}" for name, _ in sorted(counters ^ shown, key=str)]
print("\n".join(wrong) or f"{len(knobs)} options, {len(counters)} counters: the documents agree")
sys.exit(bool(wrong))
END
