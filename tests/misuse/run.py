#!/usr/bin/env python3
"""Each kind of misuse, at seven sizes, in four modes: what HAKMEM makes of it is what tests/misuse/expected says, and docs/HARDENING.md's table.

usage: tests/misuse/run.py [--lib PATH] [--only KIND[,KIND]] [--write [RUNS]]
  --write   puts what comes out of RUNS runs (20) of each into `expected`, and into the document: look at the difference
Status 77: this machine can't.

`expected` has a line for each kind and mode, and a word for each size; several, with | between, where it is chance:
  -        nothing was said, and the program went on      segv     it was ended by the kernel
  zero     what was read of the freed block was 0         dirty    calloc gave what was not 0
  double, foreign, inside, past, before, stale, size: the report, as in SAID; access: that of a guarded block's fault
A report must name the pointer that was misused; `elsewhere` behind a word: it names another.
"""
import os, re, subprocess, sys, tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

here = Path(__file__).resolve().parent
repo = here.parent.parent
library, program = repo / "target/release/libhakmem.so", here / "build/misuse"
expected, document = here / "expected", repo / "docs/HARDENING.md"
BEGIN, END = "<!-- tests/misuse/run.py --write -->", "<!-- end -->"
SIZES = 24, 200, 1000, 5000, 50_000, 300_000, 3_000_000
MODES = {"default": {}, "light": {"HAKMEM_HARDENED": "light"}, "1": {"HAKMEM_HARDENED": "1"}, "guard": {"HAKMEM_GUARD_RATE": "1"}}
SAID = {
    "block is already free (double free)": "double",
    "not a block of this allocator, or free already": "foreign",
    "pointer into a block, not to its start": "inside",
    "block was written past its end": "past",
    "block was written before its start": "before",
    "block was written to after free": "stale",
    "size does not match": "size",
}
CAUGHT = {*SAID.values(), "access", "segv"}
LIMIT = 60 # seconds, of a run

def build():
    program.parent.mkdir(exist_ok=True)
    sources = [here / "misuse.cpp", repo / "tests/c/check.h", Path(__file__)]
    if not program.exists() or program.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        subprocess.run([os.environ.get("CXX", "g++"), "-std=c++17", "-g", "-O0", "-w", "-fno-builtin", "-pthread", "-D_GNU_SOURCE", f"-I{repo}/tests/c",
                        sources[0], "-o", program, "-ldl"], check=True)

def kinds():
    """Name, whether it has sizes, words."""
    lines = subprocess.run([program, "--list"], check=True, capture_output=True, text=True).stdout.splitlines()
    return [(name, not once, words) for name, once, words in (line.split("\t") for line in lines)]

def outcome(kind, mode, size):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("HAKMEM_", "LD_"))}
    env |= {"LD_PRELOAD": str(library), **MODES[mode]}
    try:
        done = subprocess.run([program, kind, str(size)], env=env, capture_output=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return "hung"
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    about = re.search(r"^about (0x\w+)$", out, re.M)
    report = re.search(r"^hakmem: (\w+): (.*?)(?:, \d+ bytes)? \((0x\w+)\)$", err, re.M)
    if done.returncode in (-6, -11) and report:
        function, text, at = report[1], report[2], int(report[3], 16)
        off = at - int(about[1], 16) if about else 0
        if function == "access":
            return "access" if -8192 <= off <= size + 8192 else "access elsewhere"
        return SAID.get(text, repr(f"{function}: {text}")) + (" elsewhere" if off else "")
    if done.returncode == -11:
        return "segv"
    if done.returncode or err:
        return repr(f"status {done.returncode}: {err.strip()[:80]}")
    return "zero" if "\nread 0\n" in out else "dirty" if "\ndirty\n" in out else "-"

def cells(table):
    return [(kind, mode, size) for kind, sized, _ in table for mode in MODES for size in (SIZES if sized else SIZES[:1])]

def run(jobs):
    def ended(job):
        # Nothing the size of a core is left behind.
        return job, outcome(*job)
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        return list(pool.map(ended, jobs))

def read_expected():
    found = {}
    for line in expected.read_text().splitlines():
        if line and not line.startswith("#"):
            kind, mode, *words = line.split()
            for size, word in zip(SIZES, words):
                found[kind, mode, size] = set(word.replace("_elsewhere", " elsewhere").split("|"))
    return found

def widen(found):
    """What chance does at one size it may do at the next: to sizes of one kind (of those that modes with chance in them treat alike) the same may happen."""
    for (kind, mode, size), words in list(found.items()):
        most = {"1": 50_000, "guard": 50_000}.get(mode, 0)
        for other in SIZES:
            if len(words) > 1 and size <= most and other <= most:
                found[kind, mode, other] = found[kind, mode, other] | words

def write_expected(table, found):
    lines = ["# By tests/misuse/run.py --write, which says what the words mean.", f"# {'kind':20}{'mode':10}" + "".join(f"{size:<12}" for size in SIZES).rstrip()]
    for kind, sized, _ in table:
        for mode in MODES:
            words = ["|".join(sorted(found[kind, mode, size])).replace(" ", "_") for size in (SIZES if sized else SIZES[:1])]
            lines.append(f"{kind:22}{mode:10}" + "".join(f"{word:<12} "[:max(12, len(word) + 1)] for word in words).rstrip())
    expected.write_text("\n".join(lines) + "\n")

def shown(size):
    return f"{size} B" if size < 1000 else f"{size // 1000:,} kB" if size < 1_000_000 else f"{size // 1_000_000} MB"

def cell(words):
    """What the document says of one kind in one mode: at which of the sizes."""
    certain = [bool(one) and one <= CAUGHT for one in words]
    chance = [not sure and bool(one & CAUGHT) for sure, one in zip(certain, words)]
    if all(one == {"zero"} for one in words):
        return "reads 0"
    def places(which):
        at = [index for index, one in enumerate(which) if one]
        if len(at) == len(words):
            return "reported" if len(words) == 1 else "all"
        if at == list(range(at[0], at[-1] + 1)) and len(at) > 1:
            return f"to {shown(SIZES[at[-1]])}" if at[0] == 0 else f"from {shown(SIZES[at[0]])}" if at[-1] == len(SIZES) - 1 \
                else f"{shown(SIZES[at[0]])} to {shown(SIZES[at[-1]])}"
        return ", ".join(shown(SIZES[index]) for index in at)
    parts = [places(certain)] if any(certain) else []
    parts += [("by chance " + places(chance)).replace("chance all", "chance").replace("chance reported", "chance")] if any(chance) else []
    zeroes = [not sure and one == {"zero"} for sure, one in zip(certain, words)]
    parts += ["else reads 0"] if any(zeroes) and all(a or b or c for a, b, c in zip(certain, chance, zeroes)) else []
    return "; ".join(parts) or "–"

def markdown(table, found):
    lines = ["| what the program did | default | `light` | `1` | `HAKMEM_GUARD_RATE=1` |", "|---|---|---|---|---|"]
    totals = {mode: 0 for mode in MODES}
    number = 0
    for kind, sized, words in table:
        sizes = SIZES if sized else SIZES[:1]
        number += len(sizes)
        row = []
        for mode in MODES:
            row.append(cell([found[kind, mode, size] for size in sizes]))
            totals[mode] += sum(found[kind, mode, size] <= CAUGHT for size in sizes)
        lines.append(f"| {words} | " + " | ".join(row) + " |")
    lines.append(f"| caught for certain, of {number} | " + " | ".join(str(total) for total in totals.values()) + " |")
    return "\n".join(lines)

def in_document(text, table):
    return text[:text.index(BEGIN) + len(BEGIN)] + "\n" + table + "\n" + text[text.index(END, text.index(BEGIN)):]

def main():
    global library
    arguments, only, runs = sys.argv[1:], None, 0
    while arguments:
        match arguments.pop(0):
            case "--only" if arguments: only = arguments.pop(0).split(",")
            case "--lib" if arguments: library = Path(arguments.pop(0)).resolve()
            case "--write": runs = int(arguments.pop(0)) if arguments and arguments[0].isdigit() else 20
            case _: sys.exit(__doc__)
    if os.uname().machine != "x86_64" or os.sysconf("SC_PAGE_SIZE") != 4096:
        print("what is expected is that of x86-64 with pages of 4 KiB")
        sys.exit(77)
    build()
    everything = kinds()
    chosen = [row for row in everything if not only or row[0] in only]
    if runs:
        found = read_expected() if only and expected.exists() else {}
        for key in cells(chosen):
            found[key] = set()
        for key, word in run([key for key in cells(chosen) for _ in range(runs)]):
            found[key].add(word)
        widen(found)
        write_expected(everything, found)
        document.write_text(in_document(document.read_text(), markdown(everything, found)))
        return
    want = read_expected()
    results = run(cells(chosen))
    wrong = [f"{kind} {size} {mode}: {word}, expected {'|'.join(sorted(want.get((kind, mode, size), {'nothing of it'})))}"
             for (kind, mode, size), word in results if word not in want.get((kind, mode, size), ())]
    if not only and in_document(document.read_text(), markdown(everything, want)) != document.read_text():
        wrong.append("docs/HARDENING.md's table is not what tests/misuse/expected says: tests/misuse/run.py --write")
    print("\n".join(f"FAILED {line}" for line in wrong) or f"ok {len(chosen)} kinds")
    print(f"{len(results) - len(wrong)} passed, {len(wrong)} failed")
    sys.exit(bool(wrong))

main()
