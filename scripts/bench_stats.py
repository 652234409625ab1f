"""Medians, spreads and geometric means of what bench_all.py measured; shared with the report."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

SCHEMA = 1
GROUPS = {"c": "C programs", "real": "real programs"}
# What has a row each, and no part in the means.
ROWS = {**GROUPS, "replay": "replayed traces", "series": "points of the series"}
MEMORY_CALLS = ("brk", "mmap", "munmap", "mremap", "madvise", "process_madvise", "mprotect")


@dataclass
class Spread:
    middle: float
    low: float
    high: float


def spread(values):
    values = [value for value in values if value is not None]
    return Spread(statistics.median(values), min(values), max(values)) if values else None


def of(benchmark, allocator, key="value"):
    """The spread of one cell, None where nothing was measured."""
    result = benchmark["results"].get(allocator, {})
    if result.get("failed"):
        return None
    return spread([run.get(key) for run in result.get("runs", [])])


def figures(benchmark):
    """The names of what the program found out beside its speed, in its order."""
    found = {}
    for result in benchmark["results"].values():
        for run in result.get("runs", []):
            found.update(dict.fromkeys(run.get("figures", {})))
    return list(found)


def figure(benchmark, allocator, name):
    """The spread of one of them, None where nothing was measured."""
    result = benchmark["results"].get(allocator, {})
    if result.get("failed"):
        return None
    return spread([run.get("figures", {}).get(name) for run in result.get("runs", [])])


def cost(benchmark, value):
    """Time, up to a factor that cancels in ratios: lower is better, whatever the unit was."""
    return 1 / value if benchmark["unit"] == "ops/s" else value


def measured(benchmark, allocator, key="value"):
    """Its median as a cost: time for "value", else as it is. None where there is none."""
    cell = of(benchmark, allocator, key)
    if not cell or cell.middle <= 0:
        return None
    return cost(benchmark, cell.middle) if key == "value" else cell.middle


def names(data, *roles):
    return [allocator["name"] for allocator in data["allocators"] if not roles or allocator["role"] in roles]


def best_peer(data, benchmark, key="value"):
    """The peer with the lowest median cost; peers are the system's malloc and all that is neither HAKMEM nor the floor."""
    peers = [name for name in names(data, "system", "peer") if measured(benchmark, name, key)]
    return min(peers, key=lambda name: measured(benchmark, name, key), default=None)


def ratio(benchmark, name, reference, key="value"):
    mine, other = measured(benchmark, name, key), reference and measured(benchmark, reference, key)
    return mine / other if mine and other else None


def spread_ratio(benchmark, name, reference, key="value"):
    """The ratio with its spread: middle that of the medians, low and high those of the runs of one round."""
    middle = ratio(benchmark, name, reference, key)
    if middle is None:
        return None
    theirs = {run["round"]: run.get(key) for run in benchmark["results"][reference]["runs"]}
    found = [middle]
    for run in benchmark["results"][name]["runs"]:
        one, other = run.get(key), theirs.get(run["round"])
        if one and other:
            found.append(cost(benchmark, one) / cost(benchmark, other) if key == "value" else one / other)
    return Spread(middle, min(found), max(found))


def common(data, group):
    """The benchmarks of a group that every allocator finished, so that all means are over the same ones.

    The floor is not asked: it may fail on what is not made for it."""
    members = [benchmark for benchmark in data["benchmarks"] if benchmark["group"] == group]
    # Who finished none of them has no mean, and takes nobody else's away.
    asked = [name for name in names(data, "system", "peer", "hakmem") if any(measured(b, name) for b in members)]
    return [benchmark for benchmark in members if asked and all(measured(benchmark, name) for name in asked)]


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def mean_ratio(data, group, name, against, key="value"):
    """(Spread, number of benchmarks): the geometric mean of a group's ratios.

    Middle: of the medians. Low and high: of the same mean over the runs of one round, in which both sides
    ran close to each other; a second run of the whole is expected in between."""
    pairs = []
    for benchmark in common(data, group):
        reference = best_peer(data, benchmark, key) if against == "best" else against
        value = ratio(benchmark, name, reference, key)
        if value:
            pairs.append((benchmark, reference, value))
    if not pairs:
        return None, 0
    middle = geometric_mean([value for _, _, value in pairs])
    by_round = {}
    for benchmark, reference, _ in pairs:
        theirs = {run["round"]: run.get(key) for run in benchmark["results"][reference]["runs"]}
        for run in benchmark["results"][name]["runs"]:
            one, other = run.get(key), theirs.get(run["round"])
            if one and other:
                value = cost(benchmark, one) / cost(benchmark, other) if key == "value" else one / other
                by_round.setdefault(run["round"], []).append(value)
    means = [geometric_mean(values) for values in by_round.values() if len(values) == len(pairs)]
    return Spread(middle, min([middle, *means]), max([middle, *means])), len(pairs)


def reference_system(data):
    return next(iter(names(data, "system")), None)


def summary(data):
    """[{allocator, group, benchmarks, time_vs_best, ..., rss_vs_system}], ratios as [middle, low, high] or null."""
    rows = []
    system = reference_system(data)
    for group in GROUPS:
        for name in names(data):
            row = {"allocator": name, "group": group, "benchmarks": 0}
            for label, key in (("time", "value"), ("rss", "peak_rss_kib")):
                for against, reference in (("best", "best"), ("system", system)):
                    found, count = mean_ratio(data, group, name, reference, key) if reference else (None, 0)
                    row[f"{label}_vs_{against}"] = [found.middle, found.low, found.high] if found else None
                    row["benchmarks"] = max(row["benchmarks"], count)
            if row["benchmarks"]:
                rows.append(row)
    return rows


def rounds_done(data):
    return max((len(result["runs"]) for benchmark in data["benchmarks"] for result in benchmark["results"].values()), default=0)


def system_calls(benchmark, allocator):
    """(all, those about memory or None where they have no names), or None where they were not counted."""
    calls = benchmark["results"].get(allocator, {}).get("system_calls")
    if not calls:
        return None
    return sum(calls.values()), None if "all" in calls else sum(calls.get(name, 0) for name in MEMORY_CALLS)
