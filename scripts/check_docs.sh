#!/usr/bin/env bash
# docs/OPTIONS.md's tables are the one of src/config/knobs.rs: names, defaults, ranges and help. Those that can be changed
# while a program runs are named below them, those for tests are not. docs/STATISTICS.md lists what src/report/table.rs has, README.md counts in
# docs/RELIABILITY.md what is there, and is short, as CONTRIBUTING.md has it of every source; the Dockerfile is any
# architecture's. What else there is to find, in the text, is in scripts/doc_prose.py; tests/docs/broken.sh breaks one thing
# after the other and sees this fail.
set -euo pipefail
cd "$(dirname "$0")/.."

exec python3 -IB - <<'END'
import os, re, sys
sys.path.insert(0, "scripts")
import doc_prose

def plain(text):
    """A number without its underscores; anything else as it is."""
    text = text.strip('" ')
    return text.replace("_", "") if re.fullmatch(r"-?[0-9][0-9a-fA-Fx_]*", text) else text

def shape(kind, spec):
    """Default and range, as the document's columns and HAKMEM_HELP=1 show them."""
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
hidden = re.findall(r'"(HAKMEM_\w+)" = [^;]* test;', source)
rows = {name: (default.strip("`"), values.strip("`").replace("\\|", "|"), help)
        for name, default, values, help in re.findall(
            r"^\| `(HAKMEM_\w+)` \| (\S*) \| (.*?[^\\]) \| (.*) \|$", open("docs/OPTIONS.md").read(), re.M)}
assert len(knobs) + len(hidden) == source.count('"HAKMEM_'), "a knob is written in a form that this script can't read"
wrong = [f"{name}: docs/OPTIONS.md says {rows.get(name)}, the table of knobs {knobs.get(name)}"
         for name in sorted(knobs.keys() | rows.keys()) if knobs.get(name) != rows.get(name)]

options = open("docs/OPTIONS.md").read()
live = set(re.findall(r'"(HAKMEM_\w+)" = [^;]* live;', source))
named = set(re.findall(r"HAKMEM_\w+", re.search(r"`hak_option_set` changes ([^.]*)\.", options)[1]))
if live != named:
    wrong.append(f"docs/OPTIONS.md: hak_option_set: {', '.join(sorted(live ^ named))}")

table = open("src/report/table.rs").read()
counters = {(name, (box.removeprefix("class ").strip() or None, kind.lower(), help)) for help, box, name, kind in re.findall(
    r"    /// ([^\n]*)\n    (\w+ |)(\w+): (Gauge|Counter) =", table)}
shown = {(name, (box[:-3] if box else None, kind, help)) for name, box, kind, help in re.findall(
    r"^\| `(\w+)` \| (\w+ \| |)(gauge|counter) \| (.*) \|$", open("docs/STATISTICS.md").read(), re.M)}
assert len(counters) == len(re.findall(r": (?:Gauge|Counter) =", table)), "a counter is written in a form that this script can't read"
wrong += [f"docs/STATISTICS.md and src/report/table.rs: {name}" for name, _ in sorted(counters ^ shown, key=str)]

# Links, words, commands, ARCHITECTURE.md's facts.
wrong += doc_prose.wrong()

# What README.md counts in docs/RELIABILITY.md's tables, column by column: HAKMEM is the first.
def column(section, name):
    rows = re.search(rf"^### {section}\n(.*?)(?=^##|\Z)", reliability, re.M | re.S)[1].strip().splitlines()
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip("|"))] for row in rows if row.startswith("|")]
    at = next(at for at, title in enumerate(cells[0]) if title.startswith(name))
    return [row[at] for row in cells[2:] if row[at] not in ("–", "?")]

reliability, readme = open("docs/RELIABILITY.md").read(), " ".join(open("README.md").read().split())
said = [f"All {len(column('Misuse', 'HAKMEM'))} programs that free"]
said += [f"All {len(column('Traps and faults', 'HAKMEM'))} trap programs pass"]
for name, form in [("glibc", "glibc reports {0} of them"), ("tcmalloc", "tcmalloc {0}, mimalloc and jemalloc none")]:
    said.append(form.format(sum(outcome.startswith("reported") for outcome in column("Misuse", name))))
for name, form in [("glibc", "glibc passes {0} of {1}"), ("jemalloc", "jemalloc {0} of {1}"),
                   ("tcmalloc", "tcmalloc {0} of {1}"), ("mimalloc", "mimalloc {0} of {1}")]:
    outcomes = column("Traps and faults", name)
    said.append(form.format(outcomes.count("ok"), len(outcomes)))
wrong += [f"README.md should say: {words}" for words in said if words not in readme]
wrong += [f"docs/RELIABILITY.md: HAKMEM: {outcome}" for section, good in [("Misuse", "reported"), ("Traps and faults", "ok")]
          for outcome in column(section, "HAKMEM") if outcome != good]
lines = open("README.md").read().count("\n")
if lines > 100:
    wrong.append(f"README.md has {lines} lines; 100 are the most")

# One file for both architectures: no name of either, nor of a directory that is called by it.
for number, line in enumerate(open("examples/docker/Dockerfile"), 1):
    if re.search(r"x86.64|amd64|aarch64|arm64|armv8|linux-gnu|--platform", re.sub(r"^#.*", "", line)):
        wrong.append(f"examples/docker/Dockerfile:{number} names an architecture: {line.strip()}")

# Sources, but for what is generated: hakmem.h, and what builds leave.
for top in ["src", "cli", "tests", "fuzz", "examples", "bench_c", "scripts", "include"]:
    for folder, inner, files in os.walk(top):
        inner[:] = [name for name in inner if name not in ("target", "build", "corpus")]
        for path in sorted(os.path.join(folder, name) for name in files if name.endswith((".rs", ".c", ".cpp", ".h", ".hpp", ".py", ".sh"))):
            lines = open(path, "rb").read().count(b"\n")
            if lines > 400 and path != "include/hakmem.h":
                wrong.append(f"{path} has {lines} lines; 400 are the most")
print("\n".join(wrong) or f"{len(knobs)} options, {len(counters)} counters: the documents agree")
sys.exit(bool(wrong))
END
