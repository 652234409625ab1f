#!/usr/bin/env bash
# README.md's table of options is the one of src/config/knobs.rs: names, defaults, ranges and help.
set -euo pipefail
cd "$(dirname "$0")/.."

exec python3 -I - <<'END'
import re, sys

def number(text):
    return int(text.replace("_", ""), 0)

source = open("src/config/knobs.rs").read()
knobs = {name: (number(default), number(low), number(high), help)
         for help, name, default, low, high in re.findall(
             r'/// ([^\n]*)\n +\w+: "(\w+)" = ([-\w]+), ([-\w]+)\.\.=([-\w]+);', source)}
rows = {name: (number(default), number(low), number(high), help)
        for name, default, low, high, help in re.findall(
            r"^\| `(HAKMEM_\w+)` \| ([-\w]+) \| ([-\w]+)\.\.([-\w]+) \| (.*) \|$", open("README.md").read(), re.M)}
assert len(knobs) == source.count('"HAKMEM_'), "a knob is written in a form that this script can't read"
wrong = [f"{name}: README.md says {rows.get(name)}, the table of knobs {knobs.get(name)}"
         for name in sorted(knobs.keys() | rows.keys()) if knobs.get(name) != rows.get(name)]
print("\n".join(wrong) or f"{len(knobs)} options: README.md agrees")
sys.exit(bool(wrong))
END
