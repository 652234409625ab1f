#!/usr/bin/env python3
"""Runs the C programs and real programs under every allocator, in interleaved rounds, and saves it all as JSON.

A round is every benchmark under every allocator once, in shuffled order: when a shared machine slows down
for a while, it slows down everybody. System calls are counted in separate runs that are not timed.
Ctrl-C keeps what was measured until then. The exit status is 1 if a program failed under an allocator or
was not served by it, 2 for wrong arguments, 130 after Ctrl-C.
"""

import argparse
import dataclasses
import datetime
import hashlib
import json
import os
import random
import shlex
import shutil
import signal
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True  # no __pycache__ among the scripts
import bench_lib  # noqa: E402
import bench_programs  # noqa: E402
import bench_run  # noqa: E402
import bench_stats  # noqa: E402
from bench_compare import extra, names, rounds  # noqa: E402
from bench_lib import BenchError  # noqa: E402
from bench_progress import Progress  # noqa: E402

USAGE = "%(prog)s [--short | --full | --smoke] [--rounds N | --minutes N] [--with name=path ...] [--only names] [--json FILE]"
ROUNDS = {"smoke": 1, "short": 5, "full": 9}
MINUTES = {"short": 7.5, "full": 75}  # as many rounds are made as fit
GROUPS = ("c", "real", "replay", "series")


def arguments():
    parser = argparse.ArgumentParser(usage=USAGE, description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--short", dest="mode", action="store_const", const="short", default="short",
                       help="at most 8 minutes on 2 cores, as many rounds as fit (this is the default)")
    modes.add_argument("--full", dest="mode", action="store_const", const="full",
                       help="longer runs, more series: at most 75 minutes on 2 cores, 9 rounds if they fit")
    modes.add_argument("--smoke", dest="mode", action="store_const", const="smoke",
                       help="hardly any work: does everything run? Its figures mean nothing")
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("--rounds", type=rounds, help="exactly so many rounds, however long they take")
    amount.add_argument("--minutes", type=rounds, help="as many rounds as fit (7.5; with --full 75)")
    parser.add_argument("--with", type=extra, action="append", default=[], dest="extras", metavar="name=path",
                        help="one more allocator to preload, such as an older build")
    parser.add_argument("--only", type=names, default=[], metavar="a,b,...",
                        help="of the allocators, benchmarks and groups (c, real, replay, series) only these; see --list")
    parser.add_argument("--json", type=Path, metavar="FILE", help="default: target/bench/MODE.json")
    parser.add_argument("--list", action="store_true", help="print the names --only takes")
    return parser, parser.parse_args()


# ---- the session -----------------------------------------------------------------------------

class Session:
    def __init__(self, options):
        self.options = options
        self.begin = time.monotonic()
        self.failures = []
        self.interrupted = False
        self.json = options.json or bench_lib.ROOT / "target" / "bench" / f"{options.mode}.json"
        self.runner = bench_run.Runner()

    # -- what to run

    def choose(self):
        benchmarks, self.series = bench_programs.catalogue(self.options.mode)
        everybody = [*bench_lib.STANDARD, bench_lib.FLOOR]
        allocators = [a.name for a in [*bench_lib.ALL, *self.options.extras]]
        chosen = {"allocators": [], "benchmarks": []}
        for name in self.options.only:
            matching = [b.name for b in benchmarks if name in (b.name, b.group, *b.points)]
            if name in allocators:
                chosen["allocators"].append(name)
            elif matching:
                chosen["benchmarks"] += matching
            else:
                raise BenchError(f"--only: unknown: {name} (see --list)", 2)
        self.allocators = bench_lib.select(chosen["allocators"] or None, self.options.extras, default=everybody)
        if chosen["benchmarks"]:
            benchmarks = [b for b in benchmarks if b.name in chosen["benchmarks"]]
        self.benchmarks = benchmarks

    def prepare(self):
        """Builds, fetches, and leaves out aloud what this machine cannot run."""
        programs = {b.program for b in self.benchmarks if isinstance(b, bench_programs.CProgram)} | {"bench_tiny_hot"}
        for program in sorted(programs):
            bench_lib.build(program)
        self.allocators = [self.own_copy(allocator) for allocator in self.allocators]
        self.left_out, ready = [], []
        bench_programs.CACHE.mkdir(parents=True, exist_ok=True)
        for benchmark in self.benchmarks:
            problem = None
            if isinstance(benchmark, bench_programs.RealProgram):
                missing = benchmark.missing()
                if missing:
                    problem = f"not installed: {', '.join(missing)}"
                elif benchmark.prepare:
                    try:
                        benchmark.prepare(bench_programs.CACHE)
                    except (BenchError, OSError) as error:
                        problem = f"cannot be prepared: {error}"
            if problem:
                print(f"note: {benchmark.name}: {problem}; left out", file=sys.stderr)
                self.left_out.append({"benchmark": benchmark.name, "why": problem})
            else:
                ready.append(benchmark)
        self.benchmarks = ready
        if not ready:
            raise BenchError("nothing left to run")
        if self.runner.counts_calls != "strace":
            print("note: strace is not installed or does not work: " + (
                "perf counts the system calls, without their names" if self.runner.counts_calls else "no system calls are counted"),
                file=sys.stderr)

    def own_copy(self, allocator):
        """HAKMEM is copied: a build that ends while we measure must not change what is measured."""
        if bench_lib.HAKMEM not in allocator.libraries:
            return allocator
        copy = self.runner.home / bench_lib.HAKMEM.name
        if not copy.exists():
            shutil.copy(bench_lib.HAKMEM, copy)
        return dataclasses.replace(allocator, libraries=(copy,))

    def describe(self):
        """The JSON document, as yet without runs."""
        self.cells = {(b.name, a.name): {"runs": []} for b in self.benchmarks for a in self.allocators}
        settings = {name: value for name, value in os.environ.items()
                    if name.startswith(("HAKMEM_", "MALLOC_", "MIMALLOC_", "TCMALLOC_", "GLIBC_TUNABLES", "BENCH_"))}
        if settings:
            print("note: set in the environment and passed on: " + " ".join(sorted(settings)), file=sys.stderr)
        self.data = {
            "schema": bench_stats.SCHEMA,
            "mode": self.options.mode,
            "command": shlex.join([f"scripts/{Path(sys.argv[0]).stem}.sh", *sys.argv[1:]]),
            "begun": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "minutes": 0,
            "interrupted": False,
            "rounds_planned": self.options.rounds or ROUNDS.get(self.options.mode, 1),
            "commit": bench_run.commit(),
            "machine": bench_run.machine(),
            "environment": settings,
            "allocators": [self.describe_allocator(allocator) for allocator in self.allocators],
            "left_out": self.left_out,
            "notes": [],
            "series": {key: dataclasses.asdict(value) for key, value in self.series.items()
                       if any(key in benchmark.points for benchmark in self.benchmarks)},
            "benchmarks": [{
                "name": b.name, "group": b.group, "question": b.question, "command": b.shown(), "unit": b.unit,
                "points": b.points,
                "program": bench_run.package_of(b.command(Path("."))[0]) if isinstance(b, bench_programs.RealProgram) else "",
                "results": {a.name: self.cells[b.name, a.name] for a in self.allocators},
            } for b in self.benchmarks],
        }
        load, cores = self.data["machine"]["load_at_start"], self.data["machine"]["cores"]
        if load > 0.3 * cores:
            self.data["notes"].append(f"Something else was running: load average {load} on {cores} cores at the start.")
            print("note: " + self.data["notes"][-1], file=sys.stderr)

    def describe_allocator(self, allocator):
        served_by = self.runner.ask(allocator)
        library = allocator.preload()
        role = "peer"
        for prefix in ("system", "floor", "hakmem"):
            if served_by == prefix or served_by.startswith(prefix + "-"):
                role = prefix
        own = bool(library) and self.runner.home in library.parents
        shown = bench_lib.HAKMEM if own else library
        return {
            "name": allocator.name,
            "role": role,
            "served_by": served_by,
            "library": str(shown.relative_to(bench_lib.ROOT) if shown and bench_lib.ROOT in shown.parents else shown or ""),
            "package": bench_run.package_of(library) if library else bench_run.package_of(bench_run.read_first("/proc/self/maps", r"(/\S+/libc\.so\.6)$")),
            "sha256": hashlib.sha256(library.read_bytes()).hexdigest() if library else "",
            "environment": allocator.environment,
        }

    # -- running it

    def attempt(self, benchmark, allocator, action):
        """action(), or None if the program fails under this allocator: its cell is void then, the rest goes on."""
        cell = self.cells[benchmark.name, allocator.name]
        if "failed" in cell:
            return None
        try:
            return action(allocator, benchmark)
        except bench_run.NotServed:
            raise
        except BenchError as error:
            cell["failed"] = str(error)
            text = f"{benchmark.name} under {allocator.name}: {error}"
            # The floor is no allocator for real programs; whoever else fails is at fault.
            if allocator.name == bench_lib.FLOOR.name:
                self.progress.say(f"note: {text}")
            else:
                self.failures.append(text)
                self.progress.say(f"FAILED: {text}")
            return None

    def probe(self):
        for benchmark in self.benchmarks:
            if isinstance(benchmark, bench_programs.RealProgram):
                for allocator in self.allocators:
                    self.progress.show(f"who serves {benchmark.name}?", allocator.name)
                    self.attempt(benchmark, allocator, self.runner.check_served)
                    self.progress.step()
        for name in sorted(self.runner.system_libc):
            self.data["notes"].append(f"{name} is linked with another malloc; for \"system\" glibc's was preloaded over it.")

    def one_round(self, number):
        for benchmark in self.benchmarks:
            order = list(self.allocators)
            random.Random(f"{number} {benchmark.name}").shuffle(order)
            for allocator in order:
                self.progress.show(f"round {number}/{self.data['rounds_planned']}: {benchmark.name}", allocator.name)
                run = self.attempt(benchmark, allocator, self.runner.run)
                if run:
                    self.cells[benchmark.name, allocator.name]["runs"].append({"round": number, **run})
                self.progress.step()
        self.save()

    def count_system_calls(self):
        for benchmark in self.traced():
            for allocator in self.allocators:
                self.progress.show(f"system calls: {benchmark.name}", allocator.name)
                calls = self.attempt(benchmark, allocator, self.runner.system_calls)
                if calls:
                    self.cells[benchmark.name, allocator.name]["system_calls"] = calls
                self.progress.step()
        self.save()

    def traced(self):
        return [b for b in self.benchmarks if b.group != "series"] if self.runner.counts_calls else []

    def measure(self):
        minutes = self.options.minutes or (0 if self.options.rounds else MINUTES.get(self.options.mode))
        count = len(self.allocators)
        real = sum(isinstance(b, bench_programs.RealProgram) for b in self.benchmarks)

        def plan(rounds_planned):
            self.data["rounds_planned"] = rounds_planned
            self.progress.steps = count * (real + len(self.traced()) + rounds_planned * len(self.benchmarks))

        most = sys.maxsize if self.options.minutes else self.data["rounds_planned"]
        self.progress = Progress(0)
        plan(self.data["rounds_planned"])
        self.probe()
        number = longest = 0
        while number < self.data["rounds_planned"]:
            number += 1
            begin = time.monotonic()
            self.one_round(number)
            longest = max(longest, time.monotonic() - begin)
            if number == 1:
                self.count_system_calls()
            spent = time.monotonic() - self.begin
            if minutes:
                plan(min(most, number + max(0, int((minutes * 60 - spent) / longest))))
            if number == 1:
                left = (self.data["rounds_planned"] - 1) * longest
                self.progress.say(f"a round takes {longest / 60:.1f} minutes: {self.data['rounds_planned']} in all"
                                  f"{f', by {minutes:g} minutes' if minutes else ''}; about {left / 60:.0f} more")

    def save(self):
        self.data["minutes"] = round((time.monotonic() - self.begin) / 60, 1)
        self.data["interrupted"] = self.interrupted
        self.data["summary"] = bench_stats.summary(self.data)
        self.json.parent.mkdir(parents=True, exist_ok=True)
        partial = self.json.with_name(self.json.name + ".partial")
        partial.write_text(json.dumps(self.data, indent=1) + "\n")
        partial.replace(self.json)

    def measured_anything(self):
        return hasattr(self, "data") and bench_stats.rounds_done(self.data) > 0

    def show_results(self):
        print_tables(self.data)
        print(f"\nsaved: {self.json}\nreport: scripts/bench_report.py {shlex.quote(str(self.json))} report.html", flush=True)

    def go(self):
        self.choose()
        # Before an hour's work, not after it.
        if self.json.is_dir() or (self.options.json and not self.json.parent.is_dir()):
            raise BenchError(f"--json: cannot write {self.json}", 2)
        self.progress = None
        try:
            self.prepare()
            self.describe()
            self.measure()
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            if self.progress:
                self.progress.close()
            if self.measured_anything():
                self.save()
        if self.measured_anything():
            self.show_results()
        for text in self.failures:
            print(f"FAILED: {text}", file=sys.stderr)
        if self.interrupted:
            print("interrupted: " + ("the tables hold what was measured until then" if self.measured_anything()
                                     else "nothing was measured"), file=sys.stderr)
            return 130
        return 1 if self.failures else 0


# ---- tables ----------------------------------------------------------------------------------

def print_tables(data):
    allocators = bench_stats.names(data)
    for group, title in bench_stats.GROUPS.items():
        rows = [row for row in data["summary"] if row["group"] == group]
        if not rows:
            continue
        print(f"\n{title}, geometric means over {max(row['benchmarks'] for row in rows)} "
              "(lower is better; in brackets, the rounds' lowest and highest)")
        table = [("", "time/best peer", "time/system", "RSS/best peer", "RSS/system")]
        for row in sorted(rows, key=lambda row: (row["time_vs_best"] or [9e9])[0]):
            cells = [row[key] for key in ("time_vs_best", "time_vs_system", "rss_vs_best", "rss_vs_system")]
            table.append((row["allocator"], *("-" if c is None else f"{c[0]:.3f} ({c[1]:.3f}-{c[2]:.3f})" for c in cells)))
        bench_lib.print_columns(table, 1)
    print("\nTime as a ratio to the best peer's median (lower is better)")
    table = [("", *allocators)]
    for benchmark in data["benchmarks"]:
        best = bench_stats.best_peer(data, benchmark)
        cells = []
        for name in allocators:
            value = bench_stats.ratio(benchmark, name, best)
            failed = benchmark["results"].get(name, {}).get("failed")
            cells.append("failed" if failed else "-" if value is None else f"{value:.2f}")
        table.append((benchmark["name"], *cells))
    bench_lib.print_columns(table, 1)


def main():
    parser, options = arguments()
    if options.list:
        benchmarks, _ = bench_programs.catalogue(options.mode)
        print("allocators:", *(a.name for a in bench_lib.ALL))
        for group in GROUPS:
            print(f"{group}:", *(b.name for b in benchmarks if b.group == group))
        return 0

    return run_session(Session, options, parser)


def run_session(kind, options, parser):
    def interrupt(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
    session = None
    try:
        session = kind(options)
        return session.go()
    except KeyboardInterrupt:
        return 130
    except (BenchError, OSError) as error:
        status = getattr(error, "status", 1)
        if status == 2:
            parser.print_usage(sys.stderr)
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return status
    finally:
        if session:
            session.runner.close()


if __name__ == "__main__":
    sys.exit(main())
