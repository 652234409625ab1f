"""Whether a second run of the benchmarks says what the first one said, as far as that one claimed to know.

Each ratio to the system's malloc that the first run gives with a spread (the geometric means, and each benchmark's time and
peak RSS) is looked up in the second run: it should lie between the first run's lowest and highest round."""

from __future__ import annotations

import bench_stats as stats

KEYS = {"value": "time", "peak_rss_kib": "peak RSS"}


def ratios(data):
    """{(what, allocator): Spread}"""
    found, system = {}, stats.reference_system(data)
    for name in stats.names(data):
        if system is None or name == system:
            continue
        for key, label in KEYS.items():
            for group, title in stats.GROUPS.items():
                mean, _ = stats.mean_ratio(data, group, name, system, key)
                if mean:
                    found[f"geometric mean of {label}, {title}", name] = mean
            for benchmark in data["benchmarks"]:
                one = stats.spread_ratio(benchmark, name, system, key)
                if one:
                    found[f"{label} of {benchmark['name']}", name] = one
    return found


def same_work(one, other):
    """The names of benchmarks that both ran with the same command."""
    commands = {benchmark["name"]: benchmark["command"] for benchmark in other["benchmarks"]}
    return {b["name"] for b in one["benchmarks"] if commands.get(b["name"]) == b["command"]}


def only(data, names):
    return {**data, "benchmarks": [benchmark for benchmark in data["benchmarks"] if benchmark["name"] in names]}


def compare(first, second, slack):
    """([(what, allocator, Spread, second's ratio)] of those outside, number of ratios, benchmarks that were not compared)"""
    shared = same_work(first, second)
    unmatched = sorted({b["name"] for data in (first, second) for b in data["benchmarks"] if b["name"] not in shared})
    claimed, found = ratios(only(first, shared)), ratios(only(second, shared))
    outside, count = [], 0
    for key, spread in claimed.items():
        if key in found:
            count += 1
            middle = found[key].middle
            if not spread.low * (1 - slack) <= middle <= spread.high * (1 + slack):
                outside.append((*key, spread, middle))
    return outside, count, unmatched
