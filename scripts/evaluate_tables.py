"""The tables of TINY_HEAP_V2_EVALUATION.md, from the JSON of evaluate.py."""

from __future__ import annotations

import re

import bench_report
import bench_stats as stats
from bench_figure import number
from bench_report import markdown_table

TIMED = ("ws_100k", "ws_10m", "size_100k", "size_10m", "larson_8_64", "larson_8_1000", "larson_2048_32768")
CAUSES = ("calls", "faults", "counts", "events")
TITLES = {
    "machine": "Machine and libraries",
    "ws_100k": "random_mixed by working set, 100,000 operations",
    "ws_10m": "random_mixed by working set, long runs",
    "size_100k": "random_mixed by block size, 100,000 operations",
    "size_10m": "random_mixed by block size, long runs",
    "larson_8_64": "Larson, 8-64 bytes",
    "larson_8_1000": "Larson, 8-1000 bytes",
    "larson_2048_32768": "Larson, 2-32 KiB",
    "calls": "System calls per million operations",
    "faults": "Page faults per million operations",
    "counts": "Instructions and cache misses per operation",
    "events": "Slow paths per million operations",
    "gaps": "Where HAKMEM with T-HEAP is behind, and what it does more of",
}
SHOWN = {"hakmem": "V2=1", "hakmem_v2off": "V2=0"}
MAIN, OFF = "hakmem", "hakmem_v2off"
WAITING = ("futex", "sched_yield", "nanosleep", "clock_nanosleep")
MORE = 1.05  # a cause is named where there is at least this much more of it


class TableError(Exception):
    pass


def load(path):
    try:
        data = bench_report.load(path)
    except bench_report.ReportError as error:
        raise TableError(error) from None
    if data["mode"] not in ("evaluation", "quick"):
        raise TableError(f"{path}: not a result of evaluate.py")
    return data


def shown(name):
    return SHOWN.get(name, name)


def rows_of(data, table):
    return sorted((b for b in data["benchmarks"] if table in b["points"]), key=lambda b: b["points"][table])


def ordered(data):
    """The peers, those named by --with among them, then HAKMEM on and off."""
    names = stats.names(data)
    return [name for name in names if name not in SHOWN] + [name for name in SHOWN if name in names]


def ranged(cell, text):
    middle = text(cell.middle)
    low, high = text(cell.low), text(cell.high)
    return middle if low == high else f"{middle} ({low}–{high})"


def speed_ratio(benchmark, name, reference):
    """How many times faster than the reference."""
    cost = stats.spread_ratio(benchmark, name, reference)
    return cost and stats.Spread(1 / cost.middle, 1 / cost.high, 1 / cost.low)


def command(data, table):
    """What makes this table again, and one run of one of its rows."""
    words = ["scripts/evaluate.sh"]
    if data["mode"] == "quick":
        words.append("--quick")
    if table in TIMED:
        words += ["--rounds", str(data["rounds_planned"])]
    return "    " + " ".join([*words, "--only", table]) + "\n"


# ---- the tables --------------------------------------------------------------------------------

def machine(data):
    caches = data["machine"]["simulated_caches"]
    listed = [*bench_report.facts(data),
              ("Simulated caches (bytes, ways, line)", f"first level {caches['D1']}, second level {caches['LL']}"),
              ("Libraries", "; ".join(f"{shown(a['name'])} = {bench_report.version(a)}" for a in data["allocators"]))]
    warned = [f"\n> {text}\n" for text in bench_report.warnings(data)]
    if data["mode"] == "quick":
        warned.insert(0, "\n> A quick run: these figures mean little.\n")
    return "\n".join(f"- {name}: {f'`{text}`' if name == 'Command' else text}" for name, text in listed) + "\n" + "".join(warned)


def timed(data, table):
    rows = [b for b in rows_of(data, table) if any(stats.of(b, name) for name in stats.names(data))]
    if not rows:
        return None
    columns = ordered(data)
    against = [name for name in columns if name not in SHOWN]
    has_off = MAIN in columns and OFF in columns
    head = [data["series"][table]["axis"], *(f"{shown(name)}, M/s" for name in columns)]
    head += ["V2 on ÷ off"] * has_off + ([f"V2=1 ÷ {name}" for name in against] if MAIN in columns else [])
    head.append("peak RSS, MiB: " + ", ".join(map(shown, columns)))
    body = []
    for benchmark in rows:
        row = [f"{benchmark['points'][table]:,}"]
        for name in columns:
            cell = stats.of(benchmark, name)
            row.append(ranged(cell, lambda v: number(v / 1e6)) if cell else "failed")
        for reference in [OFF] * has_off + (against if MAIN in columns else []):
            ratio = speed_ratio(benchmark, MAIN, reference)
            row.append(ranged(ratio, lambda v: f"{v:.2f}") if ratio else "–")
        peaks = [stats.of(benchmark, name, "peak_rss_kib") for name in columns]
        row.append(", ".join(number(peak.middle / 1024) if peak else "–" for peak in peaks))
        body.append(row)
    one = rows[0]["command"]
    return f"{command(data, table)}\nIts first row is `{one}`.\n\n" + markdown_table([head, *body])


def cause(benchmark, name, kind):
    return benchmark["results"].get(name, {}).get("causes", {}).get(kind)


def million(count, ops):
    value = count * 1e6 / ops
    return "0" if value == 0 else f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def calls_row(found):
    calls, ops = found["calls"], found["ops"]
    total = million(sum(calls.values()), ops)
    if found["by"] == "perf":  # which knows no names
        return total
    memory, waiting = (sum(calls.get(name, 0) for name in group) for group in (stats.MEMORY_CALLS, WAITING))
    return f"{total} ({million(memory, ops)}; {million(waiting, ops)})"


def counts_row(found):
    ops = found["ops"]
    inside, every = found["in_allocator"] / ops, found["instructions"] / ops
    return f"{inside:.1f} of {every:.1f}; {max(0, found['d1'] / ops):.3f}; {max(0, found['l2'] / ops):.4f}"


def cause_table(data, kind, names, text, intro):
    rows = [b for b in data["benchmarks"] if any(cause(b, name, kind) for name in names)]
    if not rows:
        return None
    body = [[f"`{b['command']}`", *(text(cause(b, name, kind)) if cause(b, name, kind) else "–" for name in names)] for b in rows]
    return f"{command(data, kind)}\n{intro}\n\n" + markdown_table([["run", *map(shown, names)], *body])


def calls(data):
    return cause_table(data, "calls", ordered(data), calls_row,
                       f"All; in parentheses, where strace counted them, those about memory ({', '.join(stats.MEMORY_CALLS)}) and those that wait ({', '.join(WAITING)}).")


def faults(data):
    return cause_table(data, "faults", ordered(data), lambda found: million(found["faults"], found["ops"]),
                       "Without those of the process's start.")


def counts(data):
    caches = data["machine"]["simulated_caches"]
    return cause_table(data, "counts", ordered(data), counts_row,
                       "Instructions in the allocator's library (for system: in libc) of all; then data accesses that miss the first level "
                       f"({caches['D1']}) and the second ({caches['LL']}), in the whole program. By callgrind, which runs one thread at a "
                       "time. Long runs are counted between 200,000 and 1,000,000 operations.")


def events(data):
    names = [name for name in ordered(data) if any(cause(b, name, "events") for b in data["benchmarks"])]
    listed = ("refills", "flushes", "sends", "grows", "acquires", "releases")

    def text(found):
        return ", ".join(million(found["events"].get(event, 0), found["ops"]) for event in listed)
    return cause_table(data, "events", names, text, ", ".join(listed).capitalize() + "; docs/STATISTICS.md says what they are.")


# ---- gaps --------------------------------------------------------------------------------------

def figures_of(benchmark, name):
    """{what: per operation} of all causes that were counted."""
    found = {}
    kernel, speed, wall = (stats.of(benchmark, name, key) for key in ("system_s", "value", "wall_s"))
    if kernel and kernel.middle and wall.middle >= 0.05:  # the shorter ones are mostly the process's start
        found["kernel ns"] = kernel.middle * 1e9 / (speed.middle * wall.middle)
    counted = cause(benchmark, name, "counts")
    if counted:
        found["instructions"] = counted["instructions"] / counted["ops"]
        found["first-level misses"] = counted["d1"] / counted["ops"]
        found["second-level misses"] = counted["l2"] / counted["ops"]
    called = cause(benchmark, name, "calls")
    if called:
        found["system calls"] = sum(called["calls"].values()) / called["ops"]
        if called["by"] != "perf":
            found["calls that wait"] = sum(called["calls"].get(call, 0) for call in WAITING) / called["ops"]
    faulted = cause(benchmark, name, "faults")
    if faulted:
        found["page faults"] = faulted["faults"] / faulted["ops"]
    happened = cause(benchmark, name, "events")
    if happened:
        found["slow paths"] = sum(happened["events"].get(event, 0) for event in ("refills", "flushes", "sends")) / happened["ops"]
    return found


# A difference below this, per operation, explains nothing: at 10 ns an operation it is less than a hundredth of the time.
LEAST = {"kernel ns": 0.2, "instructions": 0.5, "first-level misses": 0.01, "second-level misses": 0.001, "system calls": 1e-6,
         "calls that wait": 1e-6, "page faults": 1e-6, "slow paths": 1e-5}


def per(what, value):
    if what in ("kernel ns", "instructions", "first-level misses", "second-level misses"):
        return f"{value:.3f}" if value < 1 else f"{value:.1f}"
    return million(value, 1) + " /M"


def what_is_more(benchmark, reference):
    ours, theirs = figures_of(benchmark, MAIN), figures_of(benchmark, reference)
    more = [what for what in ours if what in theirs and ours[what] > MORE * theirs[what] and ours[what] - theirs[what] > LEAST[what]]
    return "; ".join(f"{what} {per(what, ours[what])} against {per(what, theirs[what])}" for what in more)


def gaps(data):
    """Where the others' median is above ours: clear, if no single round says otherwise."""
    names = stats.names(data)
    if MAIN not in names:
        return None
    rows = []
    for benchmark in data["benchmarks"]:
        for reference in (name for name in ordered(data) if name not in (MAIN, "floor")):
            ratio = speed_ratio(benchmark, MAIN, reference)
            if ratio and ratio.middle < 0.995:
                slow = figures_of(benchmark, MAIN).get("slow paths")
                counted = bool(figures_of(benchmark, reference))
                more = what_is_more(benchmark, reference) or ("nothing that was counted" if counted else "not counted")
                rows.append((f"`{benchmark['command']}`", shown(reference), ranged(ratio, lambda v: f"{v:.2f}"),
                             "–" if data["rounds_planned"] < 3 else "yes" if ratio.high < 1 else "no", more, "–" if slow is None else per("slow paths", slow)))
    if not any(stats.of(b, MAIN) for b in data["benchmarks"]):
        return None
    intro = ("From the tables above: each row in which HAKMEM with T-HEAP is slower, by the medians. *Clear*: no round says otherwise (–: too few rounds). "
             f"The causes are what it has at least {MORE - 1:.0%} more of per operation (/M: per million operations).\n")
    if not rows:
        return intro + "\nNone.\n"
    return intro + "\n" + markdown_table([("run", "behind", "V2=1 ÷ it", "clear", "more of", "slow paths of V2=1"), *rows], 5)


def tables(data):
    """{name: Markdown} of those that the JSON has figures for."""
    made = {"machine": machine(data), **{name: timed(data, name) for name in TIMED},
            "calls": calls(data), "faults": faults(data), "counts": counts(data), "events": events(data), "gaps": gaps(data)}
    return {name: text for name, text in made.items() if text}


# ---- the document ------------------------------------------------------------------------------

MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.S)


def replace_in(document, data):
    """Puts the tables between their marks; returns what is noteworthy. Prose is not touched."""
    text = document.read_text()
    marks = re.findall(r"<!-- (table: (\w+)|end) -->", text)
    kinds = ["end" if mark == "end" else "table" for mark, _ in marks]
    if kinds != ["table", "end"] * (len(kinds) // 2) or len(kinds) % 2:
        raise TableError(f"{document}: each <!-- table: NAME --> needs its own <!-- end --> after it")
    wanted = [name for mark, name in marks if mark != "end"]
    unknown = [name for name in wanted if name not in TITLES]
    if unknown or len(set(wanted)) < len(wanted):
        raise TableError(f"{document}: no such table, or one twice: {', '.join(unknown or wanted)}")
    made = tables(data)
    notes = [f"no figures for the table '{name}': left as it was" for name in wanted if name not in made]
    notes += [f"{document.name} has no place for the table '{name}'" for name in made if name not in wanted]
    filled = MARKED.sub(lambda found: f"{found[1]}\n{made[found[2]]}\n{found[3]}" if found[2] in made else found[0], text)
    if filled != text:
        partial = document.with_name(document.name + ".partial")
        partial.write_text(filled)
        partial.replace(document)
    return notes
