#!/usr/bin/env python3
"""Measures the tables of docs/BENCHMARKS.md and README.md, and writes them there, between their <!-- table: NAME --> and <!-- end -->.

What they are made of lies beside them, in docs/plots/tables.json: a test (tests/report) makes them of it again. `make figures` runs all of it.

    scripts/bench_tables.py --rounds 5 --with "mimalloc 3.4.3=/path/libmimalloc.so" ... --all target/bench/figures.json --write
"""

import argparse
import json
import platform
import re
import statistics
import sys
from datetime import date
from pathlib import Path

sys.dont_write_bytecode = True  # no __pycache__ among the scripts
import bench_compare  # noqa: E402
import bench_lib  # noqa: E402
import bench_means  # noqa: E402
import bench_plot  # noqa: E402
import bench_report  # noqa: E402

README, BENCHMARKS = bench_lib.ROOT / "README.md", bench_lib.ROOT / "docs" / "BENCHMARKS.md"
FIGURES = bench_lib.ROOT / "docs" / "plots" / "tables.json"
PLOT = FIGURES.with_name("scatter.svg")
DOCUMENTS = {"ratios": README}  # where a table is that is not in BENCHMARKS
MARKED = r"(<!-- table: {} -->\n).*?(<!-- end -->)"

# What is measured, the command, and whether it is among the few that README shows.
ROWS = [
    ("random sizes 16..1039 B, 8192 live", "bench_random_mixed 10000000 8192 42 16 1039 --independent", True),
    ("the same, 131072 live", "bench_random_mixed 5000000 131072 42 16 1039 --independent", True),
    ("the same, 8192 in each of 2 threads", "bench_random_mixed 5000000 8192 42 16 1039 --independent --threads 2", False),
    ("the same, 8192 in each of 16 threads", "bench_random_mixed 600000 8192 42 16 1039 --independent --threads 16", True),
    ("1000 blocks of 1000 B, then all freed", "bench_fixed_size 10000 1000 1000", True),
    ("100 blocks of 64 B, then all freed", "bench_fixed_size 200000 100 64", False),
    ("one thread allocates, one frees", "bench_prodcons 5000000 16 512", True),
    ("threads of 3000 operations inherit blocks", "bench_thread_churn 2 3000 2000 16 512 7", False),
    ("blocks of one thread, written by two", "bench_cache_scratch 2 1000000 8 10", False),
    ("64 KiB..4 MiB, 64 live", "bench_large 20000 64 1", True),
    ("`realloc` 16 B → 2 MiB, eight at once", "bench_realloc 100 8", True),
    ("200 threads serve requests one at a time", "bench_thread_pool 200 600 8192", False),
    ("a server whose sizes drift, 200 MiB live", "bench_drift 3 2 200", False),
]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--rounds", type=bench_compare.rounds, default=5, help="how often each allocator runs (5)")
    parser.add_argument("--with", type=bench_compare.extra, action="append", default=[], dest="extras", metavar="name=path",
                        help="one more allocator to preload; its name is the column's")
    parser.add_argument("--only", type=bench_compare.names, default=["hakmem", "system"], metavar="a,b,...",
                        help="of those known by name (hakmem,system)")
    parser.add_argument("--out", type=Path, default=bench_lib.ROOT / "target" / "bench" / "tables.json", help="where the figures go as JSON")
    parser.add_argument("--from", type=Path, dest="earlier", metavar="FILE", help="measures nothing: the figures of an earlier run")
    parser.add_argument("--all", type=Path, metavar="FILE", help="what bench_all.py saved: the means over all programs, and the plot (else they stay)")
    parser.add_argument("--write", action="store_true", help="into the documents, and the figures beside them; else to stdout")
    return parser, parser.parse_args()


def measured(options):
    """{date, rounds, libc, figures: {command: {allocator: {ops: [...], rss: [...]}, None if it can't}}}, also written to a file."""
    allocators = bench_lib.select(options.only, options.extras)
    if "hakmem" not in [allocator.name for allocator in allocators]:
        raise bench_lib.BenchError("--only: without hakmem there is nothing to compare", 2)
    figures = {}
    for title, command, _ in ROWS:
        program, *words = command.split()
        print(title, file=sys.stderr)
        able, failed = allocators, {}
        while True:
            runs, stop = bench_lib.measure(able, bench_lib.build(program), words, options.rounds)
            if stop is None:
                break
            # One that can't is left out of this row, and shown as such; not HAKMEM.
            unable = [allocator for allocator in able if str(stop).startswith(f"{allocator.name}: ") and allocator.name != "hakmem"]
            if not unable:
                raise stop
            print(stop, file=sys.stderr)
            able = [allocator for allocator in able if allocator not in unable]
            failed |= {allocator.name: None for allocator in unable}
        done = {name: {"ops": [run.ops for run in done], "rss": [run.rss_kib for run in done]} for name, done in runs.items()}
        figures[command] = {allocator.name: (done | failed)[allocator.name] for allocator in allocators}
    result = {"date": str(date.today()), "rounds": options.rounds, "libc": platform.libc_ver()[1], "figures": figures}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save(options.out, result)
    return result


def save(path, result):
    """A line for each allocator at each command."""
    def nested(values, by):
        return "{" + ",".join(f"\n{json.dumps(key)}: {by(value)}" for key, value in values.items()) + "}"

    path.write_text(nested(result, lambda value: nested(value, lambda row: nested(row, json.dumps)) if isinstance(value, dict) else json.dumps(value)) + "\n")


def earlier(path):
    try:
        result = json.loads(path.read_text())
        tables(result)
        return result
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise bench_lib.BenchError(f"{path} is not a result of bench_tables.py, or one of other rows: {error!r}", 1) from None


def everything(path):
    """What bench_all.py saved, and what the documents say of it."""
    data = bench_report.load(path)
    try:
        found = bench_means.condensed(data)
        bench_means.tables(found)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise bench_lib.BenchError(f"{path}: not all programs, or damaged: {error!r}") from None
    return data, found


def three(value):
    """Three digits, as people write them."""
    if value is None:
        return "fails"
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def speed(ops):
    if ops is None:
        return "fails"
    return f"{three(ops / 1e6)} M" if ops >= 1e6 else f"{three(ops / 1e3)} k"


def table(head, rows):
    return "\n".join([f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def marked(values, texts, best):
    """The texts, the one of the best value in bold."""
    top = best(value for value in values if value is not None)
    return [f"**{text}**" if value == top else text for value, text in zip(values, texts)]


def tables(result):
    figures = result["figures"]
    names = list(figures[ROWS[0][1]])

    def shown(name):
        return {"hakmem": "HAKMEM", "system": f"glibc {result['libc']}"}.get(name, name)

    def middle(command, name, key):
        found = figures[command][name]
        return statistics.median(found[key]) if found else None

    head = [shown(name) for name in names]
    speeds, memory, ratios = [], [], []
    for title, command, in_readme in ROWS:
        ops = [middle(command, name, "ops") for name in names]
        rss = [kib and kib / 1024 for kib in (middle(command, name, "rss") for name in names)]
        low, high = min(figures[command]["hakmem"]["ops"]), max(figures[command]["hakmem"]["ops"])
        texts = [speed(value) for value in ops]
        texts[names.index("hakmem")] += f" ({speed(low)}–{speed(high)})"
        speeds.append([title, f"`{command}`", *marked(ops, texts, max)])
        memory.append([title, *marked(rss, [three(value) for value in rss], min)])
        if in_readme and "system" in names:
            base = middle(command, "system", "ops")
            against = [value and value / base for name, value in zip(names, ops) if name != "system"]
            ratios.append([title, *marked(against, [three(value) for value in against], max)])
    return (bench_means.tables(result["all"]) if "all" in result else {}) | {
        "speed": table(["work", "command", *head], speeds),
        "memory": table(["work", *head], memory),
        "ratios": table(["", *(shown(name) for name in names if name != "system")], ratios),
    }


def write(document, name, text):
    old = document.read_text()
    new, count = re.subn(MARKED.format(name), lambda found: found[1] + text + found[2], old, flags=re.S)
    if count != 1:
        raise bench_lib.BenchError(f"{document}: not one <!-- table: {name} --> with its <!-- end -->")
    document.write_text(new)


def main():
    parser, options = arguments()
    try:
        data, found = everything(options.all) if options.all else (None, None)  # before minutes of measuring
        result = earlier(options.earlier) if options.earlier else measured(options)
        if found:
            result["all"] = found
        elif not options.earlier:
            result |= {key: value for key, value in earlier(FIGURES).items() if key == "all"}
        made = tables(result)
    except (bench_lib.BenchError, bench_report.ReportError, OSError) as error:
        status = getattr(error, "status", 1)
        if status == 2:
            parser.print_usage(sys.stderr)
        print(f"bench_tables.py: {error}", file=sys.stderr)
        return status
    except KeyboardInterrupt:
        return 130
    if not options.write:
        print("\n".join(made.values()), end="")
        return 0
    for name, text in made.items():
        write(DOCUMENTS.get(name, BENCHMARKS), name, text)
    if data:
        PLOT.write_text(bench_plot.scatter(data).svg(alone=True) + "\n")
    save(FIGURES, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
