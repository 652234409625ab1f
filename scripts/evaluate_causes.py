"""What a run costs beside time: system calls, instructions, cache misses, slow paths. None of it depends on the machine's load."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

from bench_lib import REPORT, BenchError
from bench_run import same_file

# Fixed, so that every machine counts the same misses: a first level of 48 KiB, and for the last one a second level of
# 2 MiB. What misses that is on its way to a cache shared with others, or to memory.
CACHES = {"D1": "49152,12,64", "LL": "2097152,16,64"}
ITERATIONS = re.compile(r"\[iter=(\d+) ")
SECONDS = re.compile(r" time=([0-9.]+)s ")


def operations(output):
    exact = ITERATIONS.search(output)
    if exact:
        return int(exact[1])
    return round(float(REPORT.match(output)["ops"]) * float(SECONDS.search(output)[1]))


def sized(benchmark, amount):
    """The same program with another amount of work: cycles, or larson's seconds."""
    return dataclasses.replace(benchmark, arguments=(str(amount), *benchmark.arguments[1:]))


class Probes:
    """One method a cause, called with (allocator, benchmark); each returns what is saved in the JSON."""

    def __init__(self, runner):
        self.runner = runner

    def why_not(self, cause):
        if cause == "calls" and not self.runner.counts_calls:
            return "neither strace nor perf counts system calls here"
        if cause == "counts" and not shutil.which("valgrind"):
            return "valgrind is not installed"
        return None

    # ---- system calls

    def calls(self, allocator, benchmark):
        """{"ops": n, "calls": {name: n}}, those of a nearly empty run of the same program taken off."""
        short, long = (0.02, 0.5) if benchmark.program == "larson" else (1, benchmark.arguments[0])
        start, start_output = self.runner.trace_calls(allocator, sized(benchmark, short))
        whole, output = self.runner.trace_calls(allocator, sized(benchmark, long))
        more = {name: whole.get(name, 0) - start.get(name, 0) for name in {*whole, *start}}
        return {"ops": operations(output) - operations(start_output), "by": self.runner.counts_calls,
                "calls": {name: count for name, count in sorted(more.items()) if count > 0}}

    # ---- page faults

    def faults(self, allocator, benchmark):
        """{"ops": n, "faults": n}, again without those of a nearly empty run; by the program's own report."""
        short = 0.02 if benchmark.program == "larson" else 1
        counts = []
        for amount in (short, benchmark.arguments[0]):
            output = self.runner.output_of(allocator, sized(benchmark, amount), [])
            counts.append((operations(output), int(re.search(r" faults=(\d+)", output)[1])))
        (start_ops, start), (ops, faults) = counts
        return {"ops": ops - start_ops, "faults": max(0, faults - start)}

    # ---- instructions and cache misses

    def counts(self, allocator, benchmark):
        """{"ops", "instructions", "in_allocator", "d1", "l2"}: what a longer run has more than a shorter one."""
        if benchmark.program == "larson":
            short, long = 0.2, 1.0
        else:
            # 10 million operations take valgrind minutes; once the slots are filled they are all alike.
            short, long = (1, 100_000) if benchmark.arguments[0] == "100000" else (200_000, 1_000_000)
        one, two = (self.callgrind(allocator, sized(benchmark, amount)) for amount in (short, long))
        return {name: two[name] - one[name] for name in two}

    def callgrind(self, allocator, benchmark):
        folder = self.runner.folder()
        try:
            out = folder / "callgrind"
            tool = ["valgrind", "--tool=callgrind", "--cache-sim=yes", *(f"--{name}={size}" for name, size in CACHES.items()),
                    "--fair-sched=try", "--compress-strings=no", "--compress-pos=no", "--dump-line=no",
                    f"--callgrind-out-file={out}"]
            output = self.runner.output_of(allocator, benchmark, tool)
            library = allocator.preload()
            return {"ops": operations(output), **read_callgrind(out, library or "libc.so.6")}
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    # ---- slow paths

    def events(self, allocator, benchmark):
        """{"ops": n, "events": {name: n}} of HAKMEM; the start and the end of the program are in it."""
        if not allocator.name.startswith("hakmem"):
            return None
        told = dataclasses.replace(allocator, environment={**allocator.environment, "HAKMEM_STATS": "1"})
        output, errors = self.runner.output_of(told, benchmark, [], both=True)
        return {"ops": operations(output), "events": read_events(errors)}


def read_callgrind(path, library):
    """Sums of a callgrind file: all instructions, those inside the library, and data that was not in a cache."""
    sums = dict.fromkeys(("instructions", "in_allocator", "d1", "l2"), 0)
    columns, inside, skip = None, False, False
    for line in Path(path).read_text(errors="replace").splitlines():
        if line.startswith("events:"):
            columns = {name: index + 1 for index, name in enumerate(line.split()[1:])}
        elif line.startswith("ob="):
            inside = line[3:].endswith(f"/{library}") or same_file(line[3:], library)
        elif line.startswith("calls="):
            skip = True  # the line after it is what the callee cost, which is counted in the callee
        elif columns and line[:1].isdigit():
            words = line.split()
            if not skip:
                def cost(*names):
                    return sum(int(words[columns[name]]) for name in names if columns[name] < len(words))
                sums["instructions"] += cost("Ir")
                sums["in_allocator"] += cost("Ir") if inside else 0
                sums["d1"] += cost("D1mr", "D1mw")
                sums["l2"] += cost("DLmr", "DLmw")
            skip = False
    if not sums["instructions"]:
        raise BenchError("callgrind counted nothing")
    return sums


def read_events(text):
    """{event: sum over the classes} of the table that HAKMEM_STATS=1 prints."""
    columns, sums = None, {}
    for line in text.splitlines():
        words = line.split()
        if words[:2] == ["class", "size"]:
            columns = words
        elif columns and re.fullmatch(r"C\d+", words[0] if words else "") and len(words) == len(columns):
            for name, value in zip(columns[columns.index("free") + 1:], words[columns.index("free") + 1:]):
                sums[name] = sums.get(name, 0) + int(value)
    if not sums:
        raise BenchError("HAKMEM_STATS=1 printed no table")
    return sums
