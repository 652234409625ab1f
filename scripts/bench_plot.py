"""The report's figures: bars, time against memory, lines."""

from __future__ import annotations

import math
from html import escape

import bench_stats as stats
from bench_figure import Figure, log_ticks, number, scale_of, shown, slug, text_width, tick_label, ticks

# ---- bars ------------------------------------------------------------------------------------

ROW, PANEL_TOP, PANEL_BOTTOM, GAP = 17, 44, 40, 18


def bars(data, group, key, unit_of, key_name, title, text):
    """A panel for each benchmark, a bar for each allocator, a whisker from the lowest to the highest run."""
    names = stats.names(data)
    chosen = [b for b in data["benchmarks"] if b["group"] == group and any(stats.of(b, name, key) for name in names)]
    if not chosen:
        return None
    columns, width = 3, 990
    panel_width = (width - (columns - 1) * GAP) / columns
    panel_height = PANEL_TOP + ROW * len(names) + PANEL_BOTTOM
    figure = Figure(key_name, title, width, math.ceil(len(chosen) / columns) * panel_height, names, text)
    for index, benchmark in enumerate(chosen):
        bar_panel(figure, benchmark, key, unit_of(benchmark),
                  (index % columns) * (panel_width + GAP), (index // columns) * panel_height, panel_width)
    return figure


def bar_panel(figure, benchmark, key, unit, left, top, width):
    cells = [(name, stats.of(benchmark, name, key)) for name in figure.names]
    largest = max(cell.high for _, cell in cells if cell)
    divisor, shown_unit = scale_of(unit, largest)
    name_width = max(96, max(text_width(shown(name)) for name in figure.names) + 8)
    value_width = 44
    x0, x1 = left + name_width, left + width - value_width
    y0 = top + PANEL_TOP
    y1 = y0 + ROW * len(cells)

    def at(value):
        return x0 + (x1 - x0) * value / largest

    direction = "higher is better" if unit == "ops/s" else "lower is better"
    figure.label(left, top + 15, benchmark["name"], "title")
    figure.label(left, top + 31, f"{shown_unit}, {direction}", "mute small")
    for tick in ticks(largest / divisor, 3):
        x = at(tick * divisor)
        figure.line(x, y0 - 2, x, y1 + 2, "grid")
        figure.label(x, y1 + 16, tick_label(tick), "mute small", "middle")
    for row, (name, cell) in enumerate(cells):
        middle = y0 + ROW * row + ROW / 2
        main = name == "hakmem"
        figure.label(x0 - 6, middle + 4, shown(name), "strong" if main else "", "end")
        if not cell:
            failed = benchmark["results"].get(name, {}).get("failed")
            figure.label(x0 + 5, middle + 4, "failed" if failed else "not measured", "mute small")
            continue
        height = 13 if main else 10
        look = f'fill="var(--{slug(row)})"'
        if name == "floor":
            look = f'fill="none" stroke="var(--{slug(row)})" stroke-width="1.4"'
        hint = (f"{name}: {number(cell.middle / divisor)} {shown_unit} "
                f"({number(cell.low / divisor)} to {number(cell.high / divisor)})")
        figure.add(f'<rect class="bar" x="{x0:.1f}" y="{middle - height / 2:.1f}" width="{at(cell.middle) - x0:.1f}" '
                   f'height="{height}" {look}><title>{escape(hint)}</title></rect>')
        if cell.high > cell.low:
            figure.line(at(cell.low), middle, at(cell.high), middle, "spread")
            for end in (cell.low, cell.high):
                figure.line(at(end), middle - 3, at(end), middle + 3, "spread")
        figure.label(at(max(cell.high, cell.middle)) + 5, middle + 4, number(cell.middle / divisor),
                     "small strong" if main else "small")
    figure.line(x0, y0 - 2, x0, y1 + 2, "axis")


# ---- time against memory ---------------------------------------------------------------------

def scatter(data):
    """Geometric means against the system's malloc, a panel for each group."""
    names, system = stats.names(data), stats.reference_system(data)
    if not system:
        return None
    panels = []
    for group, title in stats.GROUPS.items():
        points = {}
        for name in names:
            time, count = stats.mean_ratio(data, group, name, system)
            memory, _ = stats.mean_ratio(data, group, name, system, "peak_rss_kib")
            if time and memory:
                points[name] = (time, memory, count)
        if points:
            panels.append((title, points))
    if not panels:
        return None
    width, height = 990, 470
    figure = Figure("scatter", "Time against memory", width, height, names,
                    "Geometric means of the ratios to the system's malloc (1 = as the system's malloc), both axes "
                    "logarithmic: further left is faster, further down is smaller. The crosses span the rounds' means.")
    panel_width = (width - GAP) / max(2, len(panels))
    for index, (title, points) in enumerate(panels):
        scatter_panel(figure, title, points, index * (panel_width + GAP), panel_width, height)
    return figure


def padded(values):
    low, high = min([1, *values]), max([1, *values])
    margin = max(1.06, (high / low) ** 0.12)
    return low / margin, high * margin


def scatter_panel(figure, title, points, left, width, height):
    x0, x1, y0, y1 = left + 58, left + width - 14, 40.0, height - 62.0
    low_x, high_x = padded([value for time, _, _ in points.values() for value in (time.low, time.high)])
    low_y, high_y = padded([value for _, memory, _ in points.values() for value in (memory.low, memory.high)])

    def at_x(value):
        return x0 + (x1 - x0) * math.log(value / low_x) / math.log(high_x / low_x)

    def at_y(value):
        return y1 - (y1 - y0) * math.log(value / low_y) / math.log(high_y / low_y)

    count = max(count for _, _, count in points.values())
    figure.label(left + 58, 17, f"{title[0].upper()}{title[1:]}", "title")
    figure.label(left + 58, 32, f"{count} benchmarks; the lower left corner is best", "mute small")
    for tick in log_ticks(low_x, high_x):
        figure.line(at_x(tick), y0, at_x(tick), y1, "even" if tick == 1 else "grid")
        figure.label(at_x(tick), y1 + 17, tick_label(tick), "mute small", "middle")
    for tick in log_ticks(low_y, high_y):
        figure.line(x0, at_y(tick), x1, at_y(tick), "even" if tick == 1 else "grid")
        figure.label(x0 - 7, at_y(tick) + 4, tick_label(tick), "mute small", "end")
    figure.line(x0, y1, x1, y1, "axis")
    figure.line(x0, y0, x0, y1, "axis")
    figure.label((x0 + x1) / 2, y1 + 38, "time, ratio to system (lower is better)", "", "middle")
    middle = (y0 + y1) / 2
    figure.label(left + 14, middle, "peak RSS, ratio to system (lower is better)", "", "middle",
                 f' transform="rotate(-90 {left + 14:.1f} {middle:.1f})"')
    for time, memory, _ in points.values():
        figure.line(at_x(time.low), at_y(memory.middle), at_x(time.high), at_y(memory.middle), "spread")
        figure.line(at_x(time.middle), at_y(memory.low), at_x(time.middle), at_y(memory.high), "spread")
    taken = [(at_x(time.middle) - 7, at_y(memory.middle) - 7, at_x(time.middle) + 7, at_y(memory.middle) + 7)
             for time, memory, _ in points.values()]
    taken += [(at_x(time.low) - 2, at_y(memory.middle) - 2, at_x(time.high) + 2, at_y(memory.middle) + 2)
              for time, memory, _ in points.values()]
    taken += [(at_x(time.middle) - 2, at_y(memory.high) - 2, at_x(time.middle) + 2, at_y(memory.low) + 2)
              for time, memory, _ in points.values()]
    # HAKMEM last, so that it lies on top; its name is placed first.
    for name in sorted(points, key=lambda name: name != "hakmem"):
        time, memory, _ = points[name]
        place_name(figure, name, at_x(time.middle), at_y(memory.middle), taken, (x0, y0, x1, y1))
    for name in sorted(points, key=lambda name: name == "hakmem"):
        time, memory, _ = points[name]
        hint = f"{name}: time {time.middle:.3f} ({time.low:.3f} to {time.high:.3f}), " \
               f"RSS {memory.middle:.3f} ({memory.low:.3f} to {memory.high:.3f})"
        figure.mark(name, at_x(time.middle), at_y(memory.middle), 6.5, "pt", hint)


def place_name(figure, name, x, y, taken, inside):
    """Beside the point where no other name or point is; the first of the free places that are nearest."""
    width = text_width(shown(name), name == "hakmem")
    places = []
    for distance in (0, 12, 24, 38, 54, 72):
        for dy in (0, -distance, distance) if distance else (0, -14, 14):
            places += [("start", x + 11, y + 4 + dy), ("end", x - 11, y + 4 + dy)]
        places += [("middle", x, y - 13 - distance), ("middle", x, y + 21 + distance)]

    def box(anchor, at, base):
        left = at - {"start": 0, "middle": width / 2, "end": width}[anchor]
        return left, base - 11, left + width, base + 3

    def free(one):
        return (one[0] >= inside[0] and one[1] >= inside[1] and one[2] <= inside[2] and one[3] <= inside[3]
                and not any(one[0] < b[2] and b[0] < one[2] and one[1] < b[3] and b[1] < one[3] for b in taken))

    anchor, at, base = next((place for place in places if free(box(*place))), places[0])
    taken.append(box(anchor, at, base))
    if abs(base - 4 - y) > 20:
        figure.line(x, y, at, base - 4, "grid")
    figure.label(at, base, shown(name), "halo strong" if name == "hakmem" else "halo", anchor)


# ---- lines -----------------------------------------------------------------------------------

def lines(data, keys, key_name, title, text, log_y=False):
    """Throughput over x, which is logarithmic; a panel for each series, all runs within the whisker."""
    names = stats.names(data)
    panels = []
    for key in keys:
        benchmarks = sorted((b for b in data["benchmarks"] if key in b["points"]), key=lambda b: b["points"][key])
        benchmarks = [b for b in benchmarks if any(stats.of(b, name) for name in names)]
        if len(benchmarks) > 1:
            panels.append((key, benchmarks))
    if not panels:
        return None
    columns = 1 if len(panels) == 1 else 2
    width, panel_height, top = 990, 400 if columns == 1 else 340, 34
    panel_width = (width - (columns - 1) * GAP) / columns
    figure = Figure(key_name, title, width, top + math.ceil(len(panels) / columns) * panel_height, names, text)
    figure.legend(18, names)
    for index, (key, benchmarks) in enumerate(panels):
        line_panel(figure, data, data["series"][key], key, benchmarks, log_y, (index % columns) * (panel_width + GAP),
                   top + (index // columns) * panel_height, panel_width, panel_height)
    return figure


def line_panel(figure, data, series, key, benchmarks, log_y, left, top, width, height):
    xs = [b["points"][key] for b in benchmarks]
    right = 10 + text_width(f"{xs[-1]:,}") / 2
    x0, x1, y0, y1 = left + 62, left + width - right, top + 44, top + height - 54
    cells = {name: [(b["points"][key], stats.of(b, name)) for b in benchmarks] for name in figure.names}
    values = [value for row in cells.values() for _, cell in row if cell for value in (cell.low, cell.high)]
    largest, smallest = max(values) * 1.04, min(values) / 1.15
    divisor, unit = scale_of("ops/s", largest)

    def at_x(value):
        return x0 + (x1 - x0) * math.log(value / xs[0]) / math.log(xs[-1] / xs[0])

    def at_y(value):
        if log_y:
            return y1 - (y1 - y0) * math.log(value / smallest) / math.log(largest / smallest)
        return y1 - (y1 - y0) * value / largest

    figure.label(left + 8, top + 15, series["title"], "title")
    figure.label(left + 8, top + 31, f"{unit}, higher is better", "mute small")
    for tick in log_ticks(smallest / divisor, largest / divisor) if log_y else ticks(largest / divisor, 5):
        y = at_y(tick * divisor)
        figure.line(x0, y, x1, y, "grid")
        figure.label(x0 - 7, y + 4, tick_label(tick), "mute small", "end")
    last = -99.0
    for x in xs:
        figure.line(at_x(x), y1, at_x(x), y1 + 4, "axis")
        text = f"{x:,}"
        if at_x(x) - last > 6.2 * len(text) + 8:
            figure.label(at_x(x), y1 + 18, text, "mute small", "middle")
            last = at_x(x)
    figure.line(x0, y1, x1, y1, "axis")
    figure.label((x0 + x1) / 2, y1 + 39, f"{series['axis']} (log scale)", "", "middle")
    cores = data["machine"].get("cores", 0)
    if series["axis"] == "threads" and xs[0] < cores < xs[-1]:
        figure.line(at_x(cores), y0 - 4, at_x(cores), y1, "even")
        figure.label(at_x(cores) + 4, y0 - 1, f"{cores} cores", "mute small halo")
    # HAKMEM last, so that it lies on top.
    for name in sorted(figure.names, key=lambda name: name == "hakmem"):
        index = figure.names.index(name)
        row = [(x, cell) for x, cell in cells[name] if cell]
        if not row:
            continue
        path = " ".join(f"{at_x(x):.1f},{at_y(cell.middle):.1f}" for x, cell in row)
        wide = 3 if name == "hakmem" else 1.6
        dashes = ' stroke-dasharray="5 4"' if name in ("floor", "hakmem_v2off") else ""
        figure.add(f'<polyline class="curve" points="{path}" fill="none" stroke="var(--{slug(index)})" '
                   f'stroke-width="{wide}"{dashes}/>')
        for x, cell in row:
            if cell.high > cell.low:
                figure.line(at_x(x), at_y(cell.low), at_x(x), at_y(cell.high), "whisker",
                            f' stroke="var(--{slug(index)})" stroke-width="1.2"')
            hint = f"{name}, {x:,} {series['axis']}: {number(cell.middle / divisor)} {unit} " \
                   f"({number(cell.low / divisor)} to {number(cell.high / divisor)})"
            figure.mark(name, at_x(x), at_y(cell.middle), 4.2, "pt", hint)


def figures(data):
    """All figures that these results allow, in the order of the page."""
    series = data["series"]
    threads = [key for key in series if series[key]["axis"] == "threads"]
    slots = [key for key in series if series[key]["axis"] == "slots"]
    sizes = [key for key in series if key not in threads + slots]
    whisker = "The bar is the median of all rounds, the whisker goes from the lowest to the highest."
    found = [
        scatter(data),
        bars(data, "real", "value", lambda b: b["unit"], "bars_real", "Real programs: time", whisker),
        bars(data, "c", "value", lambda b: b["unit"], "bars_c", "C programs: throughput", whisker),
        lines(data, threads, "threads", "Throughput against threads",
              "All threads together. Whiskers go from the lowest to the highest round."),
        lines(data, slots, "slots", "Throughput against working set",
              "Slots are how many blocks can be alive at once, on average half are. Whiskers go from the lowest to the "
              "highest round; both axes are logarithmic.", log_y=True),
        lines(data, sizes, "sizes", "Throughput against block size", "Both axes are logarithmic.", log_y=True),
        bars(data, "real", "peak_rss_kib", lambda b: "KiB", "memory_real", "Real programs: peak memory",
             "Peak RSS of the largest process. " + whisker),
        bars(data, "c", "peak_rss_kib", lambda b: "KiB", "memory_c", "C programs: peak memory",
             "Peak RSS of the process. " + whisker),
    ]
    return [figure for figure in found if figure]
