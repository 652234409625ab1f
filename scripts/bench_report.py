#!/usr/bin/env python3
"""Turns the JSON of bench_all.py into one self-contained HTML page, SVG files and a Markdown table.

With --compare: does a second run give the first one's ratios to the system's malloc, within the spread that the first one prints?
Prints those outside, and exits 1 if they are more than --share of all.
"""

import argparse
import json
import sys
from html import escape
from pathlib import Path

sys.dont_write_bytecode = True  # no __pycache__ among the scripts
import bench_agree  # noqa: E402
import bench_figure  # noqa: E402
import bench_plot  # noqa: E402
import bench_stats as stats  # noqa: E402
from bench_figure import number  # noqa: E402

USAGE = """%(prog)s JSON [HTML] [--svg-dir DIR [--figures a,b,...]] [--markdown FILE]
       %(prog)s --compare FIRST.json SECOND.json [--share N] [--slack N]"""
RATIOS = (("time_vs_best", "time ÷ best peer"), ("time_vs_system", "time ÷ system"),
          ("rss_vs_best", "peak RSS ÷ best peer"), ("rss_vs_system", "peak RSS ÷ system"))
READING = ("Geometric means of ratios; lower is better, 1 is as good. In brackets, the lowest and the highest mean of a single "
           "round. The best peer is chosen anew for each benchmark, for time and for memory: the best of all measured "
           "that are neither HAKMEM nor the floor. The floor is a do-nothing allocator: not for use, but the limit.")

PAGE_STYLE = """
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 %s}
main{max-width:1040px;margin:0 auto;padding:28px 24px 60px}
h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:40px 0 6px}h3{font-size:15px;margin:20px 0 6px}
p{margin:6px 0}.mute{color:var(--mute)}.reading{color:var(--mute);font-size:13.5px;max-width:80ch}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:13.5px;font-variant-numeric:tabular-nums}
th,td{padding:5px 12px;text-align:right;border-bottom:1px solid var(--grid);white-space:nowrap}
th{font-weight:600;vertical-align:bottom}th:first-child,td:first-child{text-align:left}
tr.main td{font-weight:700;background:var(--panel)}td small{color:var(--mute);font-weight:400}
.all th,.all td{padding:3px 9px}tr.first td{border-top:2px solid var(--mute)}
.swatch{display:inline-block;width:11px;height:11px;margin-right:8px;border-radius:2px}
.warning{border-left:4px solid var(--warn);background:var(--panel);padding:8px 14px;margin:12px 0}
figure{margin:12px 0 0}figure svg{display:block;width:100%%;height:auto}.scroll{overflow-x:auto}.scroll svg{min-width:760px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 18px;font-size:13.5px;margin:14px 0}dt{color:var(--mute)}dd{margin:0}
code{font:12.5px ui-monospace,'DejaVu Sans Mono',monospace;overflow-wrap:anywhere}
summary{cursor:pointer;font-weight:600;margin-top:10px}
:root{--warn:#d55e00}
""" % bench_figure.SANS


class ReportError(Exception):
    pass


def load(path):
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ReportError(f"{path}: {error}") from None
    if not isinstance(data, dict) or data.get("schema") != stats.SCHEMA:
        raise ReportError(f"{path}: not a result of bench_all.py (schema {stats.SCHEMA})")
    return data


# ---- parts shared by the page and the Markdown -----------------------------------------------

def facts(data):
    machine, commit = data["machine"], data["commit"]
    rounds = stats.rounds_done(data)
    return [
        ("Machine", f"{machine['cpu']}, {machine['cores']} cores, {number(machine['memory_mib'] / 1024)} GiB"),
        ("System", f"{machine['system']}, {machine['kernel']}, glibc {machine['glibc']}, huge pages: {machine['huge_pages']}"),
        ("Commit", (commit["hash"][:12] or "unknown") + (" with changes not committed" if commit["dirty"] else "")),
        ("Measured", f"{data['begun']}, {rounds} interleaved round{'s' * (rounds != 1)}, {data['minutes']} minutes"),
        ("Command", data["command"]),
    ]


def warnings(data):
    found = []
    if data["mode"] == "smoke":
        found.append("A smoke run: hardly any work was done, these figures mean nothing.")
    if data["interrupted"]:
        found.append("Interrupted: this is what was measured until then.")
    if stats.rounds_done(data) < 3:
        found.append("Fewer than three rounds: there is no spread to judge by.")
    found += data["notes"]
    if data["environment"]:
        found.append("Set in the environment: " + " ".join(f"{k}={v}" for k, v in sorted(data["environment"].items())))
    found += [f"Left out: {entry['benchmark']}: {entry['why']}" for entry in data["left_out"]]
    for benchmark in data["benchmarks"]:
        for name, result in benchmark["results"].items():
            if result.get("failed"):
                found.append(f"Failed: {benchmark['name']} under {name}: {result['failed'].splitlines()[0]}")
    return found


def summary_rows(data, group):
    return sorted((row for row in stats.summary(data) if row["group"] == group),
                  key=lambda row: (row["time_vs_best"] or row["time_vs_system"] or [9e9])[0])


def bracket(cell):
    low, high = f"{cell[1]:.3f}", f"{cell[2]:.3f}"
    return f"({low}–{high})" if low != high else ""


def version(allocator):
    package = allocator["package"] or f"sha256 {allocator['sha256'][:12]}"
    return allocator["served_by"] if allocator["role"] == "floor" else f"{allocator['served_by']} ({package})"


def value_text(benchmark, cell):
    if benchmark["unit"] == "ops/s":
        return f"{number(cell / 1e6)} M/s"
    return f"{number(cell)} s" if cell >= 0.1 else f"{number(cell * 1e3)} ms"


def figure_text(cell):
    return number(cell.middle) if cell else "–"


def calls_text(calls):
    if not calls:
        return "–"
    return f"{calls[0]:,}" if calls[1] is None else f"{calls[0]:,} ({calls[1]:,})"


# ---- HTML ------------------------------------------------------------------------------------

def swatch(data, name):
    return f'<span class="swatch" style="background:var(--{bench_figure.slug(stats.names(data).index(name))})"></span>{escape(name)}'


def html_summary(data):
    parts = []
    for group, title in stats.GROUPS.items():
        rows = summary_rows(data, group)
        if not rows:
            continue
        count = max(row["benchmarks"] for row in rows)
        parts.append(f"<h3>{title[0].upper()}{title[1:]} ({count} benchmark{'s' * (count != 1)})</h3>"
                     '<div class="wide"><table class="summary"><tr><th>allocator</th>')
        parts += [f"<th>{label}</th>" for _, label in RATIOS]
        parts.append("</tr>")
        for row in rows:
            parts.append('<tr class="main">' if row["allocator"] == "hakmem" else "<tr>")
            parts.append(f"<td>{swatch(data, row['allocator'])}</td>")
            for key, _ in RATIOS:
                cell = row[key]
                parts.append("<td>–</td>" if cell is None else
                             f"<td>{cell[0]:.3f} <small>{bracket(cell)}</small></td>")
            parts.append("</tr>")
        parts.append("</table></div>")
    return "".join(parts)


def html_details(data):
    parts = []
    for group, title in stats.ROWS.items():
        chosen = [b for b in data["benchmarks"] if b["group"] == group]
        if not chosen:
            continue
        parts.append(f'<details><summary>All figures: {title}</summary><div class="wide"><table class="all"><tr><th>benchmark</th>'
                     '<th style="text-align:left">allocator</th><th>median</th><th>lowest to highest</th><th>runs</th><th>CPU s</th>'
                     '<th>peak RSS<br>MiB</th><th>page<br>faults</th><th>system calls<br>(for memory)</th></tr>')
        for benchmark in chosen:
            for index, name in enumerate(stats.names(data)):
                cell = stats.of(benchmark, name)
                css = " ".join(filter(None, ["main" * (name == "hakmem"), "first" * (index == 0)]))
                parts.append(f'<tr class="{css}"><td title="{escape(benchmark["command"], quote=True)}">'
                             f'{escape(benchmark["name"]) if index == 0 else ""}</td><td style="text-align:left">{swatch(data, name)}</td>')
                if not cell:
                    parts.append('<td colspan="7">failed</td></tr>' if benchmark["results"].get(name, {}).get("failed")
                                 else '<td colspan="7">not measured</td></tr>')
                    continue
                cpu, rss, faults = (stats.of(benchmark, name, key).middle for key in ("cpu_s", "peak_rss_kib", "faults"))
                calls = stats.system_calls(benchmark, name)
                parts.append(
                    f"<td>{value_text(benchmark, cell.middle)}</td><td>{value_text(benchmark, cell.low)} – {value_text(benchmark, cell.high)}</td>"
                    f"<td>{len(benchmark['results'][name]['runs'])}</td><td>{cpu:.3f}</td><td>{number(rss / 1024)}</td><td>{faults:,.0f}</td>"
                    + f"<td>{calls_text(calls)}</td></tr>")
        parts.append("</table></div></details>")
    measured = [(b, figure) for b in data["benchmarks"] for figure in stats.figures(b)]
    if measured:
        parts.append('<details><summary>What programs found out beside their speed (medians, lower is better)</summary><div class="wide">'
                     '<table class="all"><tr><th>benchmark</th><th style="text-align:left">figure</th>'
                     + "".join(f"<th>{escape(name)}</th>" for name in stats.names(data)) + "</tr>")
        for benchmark, figure in measured:
            first = figure == stats.figures(benchmark)[0]
            parts.append(f'<tr class="{"first" * first}"><td title="{escape(benchmark["command"], quote=True)}">'
                         f'{escape(benchmark["name"]) if first else ""}</td><td style="text-align:left">{escape(figure)}</td>'
                         + "".join(f"<td>{figure_text(stats.figure(benchmark, name, figure))}</td>" for name in stats.names(data)) + "</tr>")
        parts.append("</table></div></details>")
    rows = "".join(f"<tr><td>{escape(b['name'])}</td><td style=\"text-align:left\">{escape(b['question'])}</td>"
                   f"<td style=\"text-align:left\"><code>{escape(b['command'])}</code></td></tr>"
                   for b in data["benchmarks"] if b["group"] != "series")
    parts.append('<details><summary>What each benchmark runs</summary><div class="wide"><table><tr><th>benchmark</th>'
                 '<th style="text-align:left">question</th><th style="text-align:left">command</th></tr>'
                 f"{rows}</table></div></details>")
    return "".join(parts)


def page(data, figures):
    machine = "".join(f"<dt>{name}</dt><dd>{f'<code>{escape(text)}</code>' if name == 'Command' else escape(text)}</dd>"
                      for name, text in facts(data))
    libraries = "".join(f"<dt>{swatch(data, a['name'])}</dt><dd>{escape(version(a))}"
                        + escape("".join(f" {k}={v}" for k, v in a["environment"].items())) + "</dd>" for a in data["allocators"])
    drawn = "".join(f'<h2 id="h_{figure.key}">{escape(figure.title)}</h2><p class="reading">{escape(figure.text)}</p>'
                    f'<figure class="scroll">{figure.svg()}</figure>' for figure in figures)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><title>HAKMEM benchmarks</title>'
        f"<style>{bench_figure.style(stats.names(data), ':root')}{PAGE_STYLE}</style></head><body><main>"
        "<h1>HAKMEM benchmarks</h1>"
        '<p class="mute">HAKMEM beside the system\'s malloc and other allocators, every library preloaded into the same programs.</p>'
        + "".join(f'<p class="warning">{escape(text)}</p>' for text in warnings(data))
        + (f'<h2>Summary</h2><p class="reading">{escape(READING)}</p>{html_summary(data)}' if html_summary(data) else "")
        + drawn
        + f"<h2>Machine and libraries</h2><dl>{machine}</dl><dl>{libraries}</dl>"
        + f"<h2>Details</h2>{html_details(data)}"
        "</main></body></html>\n")


# ---- Markdown --------------------------------------------------------------------------------

def cell_text(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def markdown_table(rows, align_left=1):
    head, *body = [[cell_text(cell) for cell in row] for row in rows]
    rule = ["---"] * align_left + ["---:"] * (len(head) - align_left)
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *body]) + "\n"


def markdown(data):
    names = stats.names(data)
    listed = [*facts(data), ("Libraries", "; ".join(f"{a['name']} = {version(a)}" for a in data["allocators"]))]
    parts = ["\n".join(f"- {name}: {f'`{text}`' if name == 'Command' else text}" for name, text in listed) + "\n"]
    parts += [f"> {text}\n" for text in warnings(data)]
    if stats.summary(data):
        parts.append(READING + "\n")
    for group, title in stats.GROUPS.items():
        rows = summary_rows(data, group)
        if not rows:
            continue
        table = [(f"{title} ({max(row['benchmarks'] for row in rows)})", *(label for _, label in RATIOS))]
        for row in rows:
            bold = "**" if row["allocator"] == "hakmem" else ""
            table.append((f"{bold}{row['allocator']}{bold}", *(
                "–" if row[key] is None else f"{bold}{row[key][0]:.3f}{bold} {bracket(row[key])}".rstrip() for key, _ in RATIOS)))
        parts.append(markdown_table(table))
    for group, title in stats.ROWS.items():
        chosen = [b for b in data["benchmarks"] if b["group"] == group]
        if not chosen:
            continue
        parts.append(f"Medians, {title} (M/s: million operations a second, higher is better; s, ms: lower is better; in bold, the best but for the floor):\n")
        table = [("benchmark", *names)]
        for benchmark in chosen:
            best = min((name for name in stats.names(data, "system", "peer", "hakmem") if stats.measured(benchmark, name)),
                       key=lambda name: stats.measured(benchmark, name), default=None)
            row = [benchmark["name"]]
            for name in names:
                cell = stats.of(benchmark, name)
                text = value_text(benchmark, cell.middle) if cell else "–"
                row.append(f"**{text}**" if name == best else text)
            table.append(row)
        parts.append(markdown_table(table))
    for title, value in (
        ("Peak RSS in MiB", lambda b, name: number(stats.of(b, name, "peak_rss_kib").middle / 1024)),
        ("RSS over live bytes when most is freed again",
         lambda b, name: number(stats.of(b, name, "rss_over_live").middle) if stats.of(b, name, "rss_over_live") else "–"),
        ("Page faults", lambda b, name: f"{stats.of(b, name, 'faults').middle:,.0f}"),
        ("System calls, in parentheses those about memory (" + ", ".join(stats.MEMORY_CALLS) + ")",
         lambda b, name: calls_text(stats.system_calls(b, name))),
    ):
        table = [("benchmark", *names)]
        for benchmark in data["benchmarks"]:
            row = [value(benchmark, name) if stats.of(benchmark, name) else "–" for name in names]
            if benchmark["group"] != "series" and set(row) != {"–"}:
                table.append((benchmark["name"], *row))
        if len(table) > 1:
            parts += [title + ":\n", markdown_table(table)]
    table = [("benchmark", "figure", *names)]
    table += [(benchmark["name"], figure, *(figure_text(stats.figure(benchmark, name, figure)) for name in names))
              for benchmark in data["benchmarks"] for figure in stats.figures(benchmark)]
    if len(table) > 1:
        parts += ["What programs found out beside their speed (medians, lower is better):\n", markdown_table(table, align_left=2)]
    return "\n".join(parts)


def share(text):
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"not a share from 0 to 1: '{text}'")
    return value


def names(text):
    if not all(text.split(",")):
        raise argparse.ArgumentTypeError(f"not a list of names: '{text}'")
    return text.split(",")


def compare(first, second, options):
    outside, count, unmatched = bench_agree.compare(load(first), load(second), options.slack)
    if unmatched:
        print(f"note: not in both with the same command: {', '.join(unmatched)}", file=sys.stderr)
    if not count:
        raise ReportError(f"{first} and {second} have no ratio in common")
    for what, name, spread, found in outside:
        print(f"outside: {what}, {name}: {found:.3f}, was {spread.middle:.3f} ({spread.low:.3f}–{spread.high:.3f})")
    print(f"{count - len(outside)} of {count} ratios to the system's malloc lie within the first run's spread, widened by "
          f"{options.slack:g} of itself; {len(outside) / count:.1%} do not, {options.share:.1%} may")
    return 1 if len(outside) > options.share * count else 0


def arguments():
    parser = argparse.ArgumentParser(usage=USAGE, description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("json", type=Path, metavar="JSON", nargs="?", help="what bench_all.py saved")
    parser.add_argument("html", type=Path, nargs="?", metavar="HTML", help="default: beside the JSON, .html")
    parser.add_argument("--svg-dir", type=Path, metavar="DIR", help="write every figure as an SVG file too")
    parser.add_argument("--figures", type=names, metavar="a,b,...", help="only these as SVG files, such as scatter,threads")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables as Markdown too")
    parser.add_argument("--compare", type=Path, nargs=2, metavar=("FIRST", "SECOND"), help="two results of the same command")
    parser.add_argument("--share", type=share, help="how many ratios may lie outside (0.1)")
    parser.add_argument("--slack", type=share, help="by how much the spread is widened at both ends (0.01)")
    options = parser.parse_args()
    if options.compare and (options.json or options.svg_dir or options.markdown):
        parser.error("--compare goes with --share and --slack alone")
    if not options.compare and (options.json is None or options.share is not None or options.slack is not None):
        parser.error("no JSON, or --share or --slack without --compare")
    if options.figures and not options.svg_dir:
        parser.error("--figures goes with --svg-dir")
    options.share = 0.1 if options.share is None else options.share
    options.slack = 0.01 if options.slack is None else options.slack
    return parser, options


def main():
    parser, options = arguments()
    try:
        return compare(*options.compare, options) if options.compare else write(options)
    except (ReportError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    except (KeyError, TypeError, AttributeError) as error:
        # Only what was read can be of the wrong shape.
        print(f"{parser.prog}: {options.json or ' or '.join(map(str, options.compare))}: damaged: {type(error).__name__} {error}",
              file=sys.stderr)
        return 1


def write(options):
    html = options.html or options.json.with_suffix(".html")
    data = load(options.json)
    if not stats.rounds_done(data):
        raise ReportError(f"{options.json}: holds no runs")
    figures = bench_plot.figures(data)
    text = page(data, figures)
    tables = markdown(data)
    written = [html]
    html.write_text(text)
    if options.svg_dir:
        missing = set(options.figures or []) - {figure.key for figure in figures}
        if missing:
            raise ReportError(f"no such figure: {', '.join(sorted(missing))} (there are: {', '.join(f.key for f in figures)})")
        options.svg_dir.mkdir(parents=True, exist_ok=True)
        for figure in figures:
            if not options.figures or figure.key in options.figures:
                written.append(options.svg_dir / f"{figure.key}.svg")
                written[-1].write_text(figure.svg(alone=True) + "\n")
    if options.markdown:
        options.markdown.write_text(tables)
        written.append(options.markdown)
    for path in written:
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
