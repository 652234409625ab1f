"""Runs one bench_c program under several allocators in interleaved rounds and compares medians.

Rounds are interleaved (A B C A B C ...): when a shared machine slows down for a while, it slows
down everybody, instead of whoever happened to be running his turn.
"""

from __future__ import annotations

import os
import re
import signal
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH_DIR = ROOT / "bench_c"
HAKMEM = ROOT / "target" / "release" / "libhakmem.so"
RUN_LIMIT_S = 600  # a run that takes longer hangs

REPORT = re.compile(
    r"^Throughput = (?P<ops>[0-9.]+) ops/s .*served_by=(?P<served_by>\S+) peak_rss_kib=(?P<rss>\d+)"
)

# What else a program found out, a line each after its report; lower is better.
FIGURE = re.compile(r"^figure ([^\s=]+)=([0-9.]+)$", re.M)


class BenchError(Exception):
    """What the user is told, and the exit status: 1 for a failed run, 2 for wrong arguments."""

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status


@dataclass
class Allocator:
    name: str
    served_by: str | None  # what served_by must begin with; None: anything but the system's
    libraries: tuple = ()  # file names or paths, the first one found is preloaded
    environment: dict = field(default_factory=dict)
    optional: bool = False  # left out, aloud, where it is not installed

    def preload(self):
        """The library's path, None for the system's malloc."""
        for library in self.libraries:
            for path in candidates(library):
                if path.is_file():
                    return path.resolve()
        if self.libraries:
            raise BenchError(f"{self.name}: not found: {' or '.join(map(str, self.libraries))}")
        return None

    def accepts(self, served_by):
        if self.served_by is None:
            return served_by != "system"
        return served_by == self.served_by or served_by.startswith(self.served_by + "-")


def candidates(library):
    path = Path(library)
    if path.parent != Path("."):
        return [path]
    folders = sorted(Path("/usr/lib").glob("*-linux-gnu")) + [Path("/usr/lib64"), Path("/usr/lib"), Path("/usr/local/lib")]
    return [folder / path for folder in folders]


STANDARD = [
    Allocator("system", "system"),
    Allocator("mimalloc", "mimalloc", ("libmimalloc.so.2", "libmimalloc.so.2.0", "libmimalloc.so"), optional=True),
    Allocator("jemalloc", "jemalloc", ("libjemalloc.so.2",), optional=True),
    Allocator("tcmalloc", "tcmalloc", ("libtcmalloc_minimal.so.4", "libtcmalloc.so.4"), optional=True),
    Allocator("hakmem", "hakmem", (HAKMEM,), {"HAKMEM_TINY_HEAP_V2": "1"}),
    Allocator("hakmem_v2off", "hakmem", (HAKMEM,), {"HAKMEM_TINY_HEAP_V2": "0"}),
]
# Not an allocator one could use, so only when it is asked for.
FLOOR = Allocator("floor", "floor", (BENCH_DIR / "build" / "libbench_floor.so",))
# Modes of HAKMEM, likewise.
MODES = [
    Allocator("hakmem_learnoff", "hakmem", (HAKMEM,), {"HAKMEM_TINY_HEAP_V2": "1", "HAKMEM_LEARN": "0"}),
    Allocator("hakmem_hardened", "hakmem", (HAKMEM,), {"HAKMEM_HARDENED": "1"}),
]
ALL = [*STANDARD, FLOOR, *MODES]


def select(only, extra, default=STANDARD):
    """The allocators to run: those named in `only` (`default` if None), then `extra`."""
    known = {allocator.name: allocator for allocator in ALL}
    for allocator in extra:
        if allocator.name in known:
            raise BenchError(f"--with: the name '{allocator.name}' is taken", 2)
        known[allocator.name] = allocator
    extra_names = [allocator.name for allocator in extra]
    names = [allocator.name for allocator in default] if only is None else list(only)
    names = list(dict.fromkeys(names + extra_names))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BenchError(f"--only: unknown: {', '.join(unknown)} (there are: {', '.join(known)})", 2)
    chosen = []
    for name in names:
        try:
            known[name].preload()
        except BenchError as error:
            # Left out only where nobody asked for it by name: a silent gap would look like a result.
            if not known[name].optional or only is not None:
                hint = "; build it: cargo build --release" if HAKMEM in known[name].libraries else ""
                raise BenchError(f"{error}{hint}") from None
            print(f"note: {error}; left out", file=sys.stderr)
            continue
        chosen.append(known[name])
    return chosen


def build(program):
    """Builds PROGRAM and returns the binary linked with nothing but libc."""
    programs = sorted(path.stem for path in BENCH_DIR.glob("*.c") if path.stem != "bench_floor")
    if program not in programs:
        raise BenchError(f"no program '{program}' in bench_c (there are: {', '.join(programs)})", 2)
    targets = [f"build/{program}_system", "build/libbench_floor.so"]
    made = subprocess.run(["make", "-s", "-C", str(BENCH_DIR), *targets], stdout=sys.stderr)
    if made.returncode:
        raise BenchError(f"make -C bench_c failed ({made.returncode})")
    return BENCH_DIR / targets[0]


@dataclass
class Run:
    ops: float
    rss_kib: int
    served_by: str
    copied_kib: int | None  # what a forked child copied: bench_fork_pages
    figures: dict


def run_once(allocator, binary, arguments):
    environment = {**os.environ, **allocator.environment}
    library = allocator.preload()
    environment.pop("LD_PRELOAD", None)  # one from outside would serve "system"
    if library:
        environment["LD_PRELOAD"] = str(library)
    try:
        done = subprocess.run(
            [binary, *arguments], env=environment, capture_output=True, text=True, timeout=RUN_LIMIT_S
        )
    except subprocess.TimeoutExpired:
        raise BenchError(f"{allocator.name}: no end after {RUN_LIMIT_S} s") from None
    if done.returncode < 0 and -done.returncode in (signal.SIGINT, signal.SIGTERM):
        raise KeyboardInterrupt  # the terminal's Ctrl-C reached the child first
    if done.returncode:
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit {done.returncode}"
        raise BenchError(
            f"{allocator.name}: {binary.name} {' '.join(arguments)}: {how}\n{done.stderr.strip()}",
            2 if done.returncode == 2 else 1,
        )
    report = REPORT.match(done.stdout)
    if not report:
        raise BenchError(f"{allocator.name}: no report in: {done.stdout[:200]!r}")
    if not allocator.accepts(report["served_by"]):
        raise BenchError(
            f"{allocator.name}: served by '{report['served_by']}', not by what was preloaded "
            f"({library or 'nothing'})\n{done.stderr.strip()}"
        )
    copied = re.search(r" copied_kib=(\d+)", report[0])
    return Run(float(report["ops"]), int(report["rss"]), report["served_by"], int(copied[1]) if copied else None,
               {name: float(value) for name, value in FIGURE.findall(done.stdout)})


def measure(allocators, binary, arguments, rounds):
    """Returns ({name: [Run]}, what stopped it early or None). What was measured is never thrown away."""
    runs = {allocator.name: [] for allocator in allocators}
    try:
        for index in range(rounds):
            for allocator in allocators:
                runs[allocator.name].append(run_once(allocator, binary, arguments))
            print(f"round {index + 1}/{rounds}", file=sys.stderr)
    except (KeyboardInterrupt, BenchError) as stop:
        return runs, stop
    return runs, None


def reference(runs):
    """Whom all are compared with: (label, ops). Peers are neither HAKMEM nor the floor."""
    medians = {name: statistics.median(run.ops for run in done) for name, done in runs.items() if done}
    peers = [
        name for name in medians if not runs[name][0].served_by.startswith(("hakmem", FLOOR.served_by))
    ]
    if peers:
        best = max(peers, key=medians.get)
        return f"best peer ({best})", medians[best]
    first = next(iter(medians))
    return first, medians[first]


def print_table(runs):
    if not any(runs.values()):
        print("nothing measured")
        return
    label, base = reference(runs)
    rows = [("allocator", "served by", "runs", "median ops/s", "min", "max", "ratio", "peak RSS KiB")]
    for name, done in runs.items():
        if not done:
            rows.append((name, "-", "0", "-", "-", "-", "-", "-"))
            continue
        ops = [run.ops for run in done]
        median = statistics.median(ops)
        rss = statistics.median(run.rss_kib for run in done)
        rows.append(
            (name, done[0].served_by, str(len(done)), f"{median:,.0f}", f"{min(ops):,.0f}", f"{max(ops):,.0f}",
             f"{median / base:.3f}", f"{rss:,.0f}")
        )
    if any(run.copied_kib is not None for done in runs.values() for run in done):
        rows = [(*row, copied) for row, copied in zip(rows, ["copied KiB", *(
            f"{statistics.median(run.copied_kib for run in done):,.0f}" if done else "-" for done in runs.values())])]
    print_columns(rows, 2)
    print(f"ratio: median against {label}", flush=True)
    names = list(dict.fromkeys(name for done in runs.values() for run in done for name in run.figures))
    if names:
        print("\nalso, medians, lower is better:")
        print_columns([("", *runs)] + [
            (name, *(middle(run.figures[name] for run in done if name in run.figures) for done in runs.values()))
            for name in names], 1)


def middle(values):
    values = list(values)
    return f"{statistics.median(values):,g}" if values else "-"


def print_columns(rows, align_left):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) if i < align_left else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip(), flush=True)


def compare(allocators, program, arguments, rounds):
    """Measures, prints the table, returns the exit status."""
    def interrupt(*_):
        raise KeyboardInterrupt

    # SIGINT too: a shell that starts us in the background has it ignored, and Python keeps that.
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
    try:
        binary = build(program)
        chosen = allocators()
    except KeyboardInterrupt:
        return 130
    print(" ".join([program, *arguments]) + f"  ({rounds} interleaved rounds)")
    runs, stop = measure(chosen, binary, arguments, rounds)
    if isinstance(stop, BenchError):
        if any(runs.values()):
            print_table(runs)
        raise stop
    print_table(runs)
    if stop:
        print("interrupted: the table holds what was measured until then", file=sys.stderr)
        return 130
    return 0
