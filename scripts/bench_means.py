"""What docs/BENCHMARKS.md shows of a run of bench_all.py: on what it was measured, the means over all programs, and where HAKMEM is behind."""

import datetime

import bench_stats as stats

BEHIND = {"time": (1.1, "a tenth"), "rss": (1.25, "a quarter")}  # so many times what the best peer takes, and it is said
COLUMNS = [(group, key) for group in stats.GROUPS for key in ("time", "rss")]


def condensed(data):
    """What the documents need of it, small enough to lie beside them: {part: {name: values}}."""
    means = {}
    for row in stats.summary(data):
        for key in ("time", "rss"):
            means.setdefault(row["allocator"], {})[f"{row['group']} {key}"] = row[f"{key}_vs_system"]
    shown = [benchmark for benchmark in data["benchmarks"] if benchmark["group"] in stats.GROUPS]
    behind = {"time": {}, "rss": {}}
    for label, key in (("time", "value"), ("rss", "peak_rss_kib")):
        for benchmark in shown:
            best = stats.best_peer(data, benchmark, key)
            ratio = stats.ratio(benchmark, "hakmem", best, key)
            if ratio and ratio > BEHIND[label][0]:
                behind[label][benchmark["name"]] = [round(ratio, 3), best]
    return {
        "run": {"begun": data["begun"], "rounds": stats.rounds_done(data), "commit": data["commit"]["hash"][:12], **data["machine"]},
        "programs": {group: len(stats.common(data, group)) for group in stats.GROUPS},
        "means": means,
        "behind": behind,
        "failed": {benchmark["name"]: failed for benchmark in shown
                   if (failed := [name for name in stats.names(data, "system", "peer") if "failed" in benchmark["results"].get(name, {})])},
    }


def title(name, libc):
    return {"hakmem": "HAKMEM", "system": f"glibc {libc}", "floor": "a do-nothing allocator"}.get(name, name)


def method(condensed):
    run = condensed["run"]
    day = datetime.datetime.fromisoformat(run["begun"])
    return (f"{day.day} {day:%b %Y}, commit {run['commit']}, {run['cpu']}, {run['cores']} cores, {run['system']}, {run['kernel']}, huge pages "
            f"`{run['huge_pages']}`; {run['rounds']} interleaved rounds, every library preloaded.\n")


def means(condensed):
    """The table: ratios to glibc's malloc, which is no row of it."""
    rows = {name: row for name, row in condensed["means"].items() if name != "system"}
    best = {column: min(row[column][0] for name, row in rows.items() if name != "floor" and row.get(column)) for column in map(" ".join, COLUMNS)}

    def cell(row, column):
        if not row.get(column):
            return "–"
        middle, low, high = row[column]
        bold = "**" if middle == best[column] else ""
        return f"{bold}{middle:.3f}{bold} ({low:.3f}–{high:.3f})"

    head = [""] + [f"{condensed['programs'][group]} {stats.GROUPS[group]}: time" if key == "time" else "peak RSS" for group, key in COLUMNS]
    lines = [head, ["---"] * len(head)]
    for name in sorted(rows, key=lambda name: (name == "floor", rows[name].get("c time") or [9e9])):
        lines.append([title(name, ""), *(cell(rows[name], " ".join(column)) for column in COLUMNS)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def behind(condensed):
    """Sentences: which programs take more than with the best, of time and of memory."""
    libc = condensed["run"]["glibc"]

    def listed(found):
        worst = sorted(found.items(), key=lambda item: -item[1][0])
        return ", ".join(f"`{name}` {ratio:.2f} ({title(who, libc)})" for name, (ratio, who) in worst) or "none"

    text = (f"Where HAKMEM takes more than the best, which is in brackets: more by {BEHIND['time'][1]} of its time in {listed(condensed['behind']['time'])}; "
            f"by {BEHIND['rss'][1]} of its peak memory in {listed(condensed['behind']['rss'])}.\n")
    if condensed["failed"]:
        failing = "; ".join(f"`{name}` ({', '.join(who)})" for name, who in condensed["failed"].items())
        text += f"In no mean, because one of them fails: {failing}.\n"
    return text


def tables(condensed):
    return {"method": method(condensed), "means": means(condensed), "behind": behind(condensed)}
