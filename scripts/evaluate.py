#!/usr/bin/env python3
"""Measures what TINY_HEAP_V2_EVALUATION.md reports, and writes its tables.

Timed first, in interleaved rounds, as bench_all.py does it. Then, untimed, what may cause a difference: system calls
(strace, or perf where strace does not work), instructions and cache misses (callgrind), slow paths (T-EVENT, by HAKMEM_STATS=1).
Each of these is the difference of a long and a short run, so that the start of the process cancels out.
Ctrl-C keeps what was measured until then. The exit status is 1 if a program failed under an allocator or
was not served by it, 2 for wrong arguments, 130 after Ctrl-C.
"""

import argparse
import signal
import statistics
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True  # no __pycache__ among the scripts
import bench_all  # noqa: E402
import bench_lib  # noqa: E402
import evaluate_causes  # noqa: E402
import evaluate_tables  # noqa: E402
from bench_compare import extra, names, rounds  # noqa: E402
from bench_programs import CProgram, Series  # noqa: E402
from bench_progress import Progress  # noqa: E402
from evaluate_tables import CAUSES, TIMED  # noqa: E402

USAGE = """%(prog)s [--quick] [--rounds N] [--with NAME[=path] ...] [--only names] [--out FILE]
       %(prog)s --markdown FILE [--document FILE]"""
ROUNDS = {"evaluation": 15, "quick": 2}
DEFAULT = ("system", "mimalloc", "hakmem", "hakmem_v2off")
DOCUMENT = bench_lib.ROOT / "TINY_HEAP_V2_EVALUATION.md"
SIZES = (128, 256, 512, 1024)
SLOTS = 8192  # of the runs whose blocks have one size
REPEATS = 5  # of a run of 100,000 cycles, a millisecond: the median of so many is the value of the round


def other(text):
    known = {allocator.name for allocator in bench_lib.ALL}
    return text if text in known else extra(text)


def arguments():
    parser = argparse.ArgumentParser(usage=USAGE, description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two rounds of short runs, causes for a row of each table: "
                        "does everything run? Under 2 minutes; its figures mean little")
    parser.add_argument("--rounds", type=rounds, help=f"interleaved rounds ({ROUNDS['evaluation']})")
    parser.add_argument("--with", type=other, action="append", default=[], dest="extras", metavar="NAME[=path]",
                        help="one more allocator: jemalloc, tcmalloc, floor, or any by its path")
    parser.add_argument("--only", type=names, default=[], metavar="a,b,...",
                        help=f"only these tables: {', '.join([*TIMED, *CAUSES])}")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: target/bench/evaluation.json, "
                        "with --quick or --only evaluation-part.json there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="measure nothing: put the tables of this JSON "
                        "into the document, between its <!-- table: NAME --> and <!-- end -->")
    parser.add_argument("--document", type=Path, metavar="FILE", help=f"default: {DOCUMENT.name}")
    options = parser.parse_args()
    unknown = [name for name in options.only if name not in (*TIMED, *CAUSES)]
    if unknown:
        parser.error(f"--only: unknown: {', '.join(unknown)}")
    if options.document and not options.markdown:
        parser.error("--document goes with --markdown")
    if options.markdown and (options.quick or options.rounds or options.extras or options.only or options.out):
        parser.error("--markdown measures nothing: it goes with --document alone")
    options.mode = "quick" if options.quick else "evaluation"
    options.rounds = options.rounds or ROUNDS[options.mode]
    options.json = options.out
    return parser, options


def catalogue(quick):
    """(benchmarks, {table: Series}): each benchmark is a row of one table."""
    benchmarks, series = [], {}

    def add(table, x, name, program, *words):
        benchmarks.append(CProgram(name, "series", evaluate_tables.TITLES[table], {table: x}, program, tuple(map(str, words))))

    # The blocks' sizes come with the slot from one draw, as the specification's program does it.
    for label, cycles in (("100k", 100_000), ("10m", 1_000_000 if quick else 10_000_000)):
        series[f"ws_{label}"] = Series(f"ws_{label}", f"bench_random_mixed, {cycles:,} cycles, 16-1039 B", "slots")
        series[f"size_{label}"] = Series(f"size_{label}", f"bench_random_mixed, {cycles:,} cycles, {SLOTS} slots", "block size (bytes)")
        for number in SIZES:
            add(f"ws_{label}", number, f"ws{number}_{label}", "bench_random_mixed", cycles, number, 42)
            add(f"size_{label}", number, f"size{number}_{label}", "bench_random_mixed", cycles, SLOTS, 42, number, number)
    for low, high in ((8, 64), (8, 1000), (2048, 32768)):
        table = f"larson_{low}_{high}"
        series[table] = Series(table, f"larson, {low}-{high} B", "threads")
        for threads in (1, 2, 4, 16):
            add(table, threads, f"{table}_t{threads}", "larson", 0.1 if quick else 1, low, high, 1024, 1, 12345, threads)
    return benchmarks, series


class Evaluation(bench_all.Session):
    def __init__(self, options):
        super().__init__(options)
        if not options.json:
            whole = not (options.quick or options.only)
            self.json = self.json.with_name("evaluation.json" if whole else "evaluation-part.json")

    def choose(self):
        benchmarks, self.series = catalogue(self.options.quick)
        timed = [table for table in TIMED if table in self.options.only]
        self.causes = [cause for cause in CAUSES if cause in self.options.only]
        if not self.options.only:
            timed, self.causes = list(TIMED), list(CAUSES)
        self.timed = bool(timed)
        # Causes alone are those of all rows.
        self.benchmarks = [b for b in benchmarks if not timed or any(table in timed for table in b.points)]
        known = {allocator.name: allocator for allocator in bench_lib.ALL}
        wanted = list(dict.fromkeys([*DEFAULT, *(e for e in self.options.extras if isinstance(e, str))]))
        self.allocators = bench_lib.select(None, [e for e in self.options.extras if not isinstance(e, str)],
                                           default=[known[name] for name in wanted])

    def describe(self):
        super().describe()
        self.data["machine"]["simulated_caches"] = evaluate_causes.CACHES
        self.data["rounds_planned"] = self.options.rounds

    def measure_once(self, allocator, benchmark):
        """The run whose value is the median of its repeats."""
        runs = [self.runner.run(allocator, benchmark) for _ in range(REPEATS if benchmark.arguments[0] == "100000" else 1)]
        return next(run for run in runs if run["value"] == statistics.median(run["value"] for run in runs))

    def measure(self):
        planned = self.options.rounds if self.timed else 0
        probes = [(cause, benchmark) for cause in self.causes for benchmark in self.rows_for_causes()]
        self.progress = Progress(len(self.allocators) * (planned * len(self.benchmarks) + len(probes)))
        for number in range(1, planned + 1):
            begin = time.monotonic()
            self.one_round(number)
            if number == 1 and planned > 1:
                self.progress.say(f"{planned} rounds need about {planned * (time.monotonic() - begin) / 60:.0f} minutes")
        begin = time.monotonic()
        for index, (cause, benchmark) in enumerate(probes):
            for allocator in self.allocators:
                self.progress.show(f"{cause}: {benchmark.name}", allocator.name)
                found = self.attempt(benchmark, allocator, getattr(self.probes, cause))
                if found:
                    self.cells[benchmark.name, allocator.name].setdefault("causes", {})[cause] = found
                self.progress.step()
            if index + 1 == len(probes) or probes[index + 1][0] != cause:
                self.save()
        if probes:
            self.progress.say(f"causes took {(time.monotonic() - begin) / 60:.1f} minutes")

    def rows_for_causes(self):
        if not self.options.quick:
            return self.benchmarks
        seen = {}
        for benchmark in self.benchmarks:
            seen.setdefault(next(iter(benchmark.points)), benchmark)
        return list(seen.values())

    def prepare(self):
        super().prepare()
        self.probes = evaluate_causes.Probes(self.runner)
        for cause in list(self.causes):
            why = self.probes.why_not(cause)
            if why:
                print(f"note: {why}: no table '{cause}'", file=sys.stderr)
                self.left_out.append({"benchmark": cause, "why": why})
                self.causes.remove(cause)

    def measured_anything(self):
        return hasattr(self, "data") and any("causes" in cell or cell["runs"] for cell in self.cells.values())

    def show_results(self):
        tables = evaluate_tables.tables(self.data)
        print("\n".join(f"## {evaluate_tables.TITLES[name]}\n\n{text}" for name, text in tables.items()))
        print(f"saved: {self.json}\nthe document's tables: scripts/evaluate.sh --markdown {self.json}", flush=True)


def markdown(options):
    try:
        data = evaluate_tables.load(options.markdown)
        notes = evaluate_tables.replace_in(options.document or DOCUMENT, data)
    except (evaluate_tables.TableError, OSError) as error:
        print(f"evaluate.py: {error}", file=sys.stderr)
        return 1
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    print(options.document or DOCUMENT)
    return 0


if __name__ == "__main__":
    parser, options = arguments()
    sys.exit(markdown(options) if options.markdown else bench_all.run_session(Evaluation, options, parser))
