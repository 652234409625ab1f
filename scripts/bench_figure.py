"""What the report's figures are drawn with: colours, scales, and a Figure that becomes SVG. Colours and fonts come from style(),
so that one figure serves light and dark."""

from __future__ import annotations

import math
from html import escape

# Okabe and Ito's palette (told apart with any colour blindness), darker or lighter where the ground
# asks for it. (light, dark); HAKMEM alone gets the warm colours.
COLOURS = {
    "system": ("#6b7280", "#a3acb8"),
    "mimalloc": ("#0072b2", "#56b4e9"),
    "jemalloc": ("#008a64", "#35c79b"),
    "tcmalloc": ("#a8487f", "#e08fbd"),
    "hakmem": ("#d55e00", "#ff8b3d"),
    "hakmem_v2off": ("#b98500", "#f0c24a"),
    "floor": ("#a7b0ba", "#59636e"),
}
OTHERS = [("#3b3fa8", "#9fa3ff"), ("#5b8a00", "#a6d64a"), ("#7a4a24", "#c9976b"), ("#00838f", "#4dd0da")]
SHAPES = {"hakmem": "circle", "hakmem_v2off": "ring", "system": "square", "mimalloc": "triangle", "jemalloc": "diamond",
          "tcmalloc": "down", "floor": "cross"}
SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def shown(name):
    """As it stands in a figure, where there is no room for any length."""
    return name if len(name) <= 16 else name[:15] + "…"


def family(name):
    """`mimalloc 3.4.3` is a mimalloc."""
    return name.split()[0]


def text_width(text, bold=False):
    """Roughly, in a wide font of 12 px."""
    return len(text) * (8.2 if bold else 7.4)


def slug(index):
    return f"s{index}"


def colour_rules(names):
    """CSS variables of every allocator: (light, dark)."""
    light, dark, own, others = [], [], dict(COLOURS), iter(OTHERS * 10)
    for index, name in enumerate(names):
        pair = own.pop(family(name), None) or next(others)  # the first of a family has its colour
        light.append(f"--{slug(index)}:{pair[0]};")
        dark.append(f"--{slug(index)}:{pair[1]};")
    return "".join(light), "".join(dark)


def style(names, root):
    """For a page root is ":root", for a figure of its own "svg"."""
    light, dark = colour_rules(names)
    return f"""{root}{{--ground:#ffffff;--panel:#f6f8fa;--ink:#1f2328;--mute:#57606a;--grid:#d5dbe1;{light}}}
@media (prefers-color-scheme: dark){{{root}{{--ground:#0d1117;--panel:#161b22;--ink:#e6edf3;--mute:#9aa5b1;--grid:#30363d;{dark}}}}}
svg{{font-family:{SANS};font-variant-numeric:tabular-nums}}
svg text{{fill:var(--ink);font-size:12px}}
svg .mute{{fill:var(--mute)}}
svg .small{{font-size:11px}}
svg .title{{font-size:13px;font-weight:600}}
svg .strong{{font-weight:700}}
svg .grid{{stroke:var(--grid);stroke-width:1}}
svg .axis{{stroke:var(--mute);stroke-width:1}}
svg .even{{stroke:var(--mute);stroke-width:1;stroke-dasharray:3 3}}
svg .spread{{stroke:var(--ink);stroke-width:1.2;opacity:.75}}
svg .ground{{fill:var(--ground)}}
svg .halo{{paint-order:stroke;stroke:var(--ground);stroke-width:4px;stroke-linejoin:round}}
"""


def number(value):
    """Three digits that count, no exponent."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def tick_label(value):
    return f"{value:,.10f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"


def scale_of(unit, largest):
    """(divisor, what the axis is called)."""
    if unit == "KiB":
        return (1024, "MiB") if largest < 2 << 20 else (1 << 20, "GiB")
    if unit == "seconds":
        return (1, "seconds") if largest >= 0.5 else (1e-3, "milliseconds")
    for divisor, name in ((1e9, "billion "), (1e6, "million "), (1e3, "thousand ")):
        if largest >= divisor:
            return divisor, f"{name}ops/s"
    return 1, "ops/s"


def ticks(largest, most=4):
    if largest <= 0:
        return [0]
    step = 10 ** math.floor(math.log10(largest / most))
    step = next(step * factor for factor in (1, 2, 5, 10) if largest / (step * factor) <= most)
    return [i * step for i in range(int(largest / step + 1e-9) + 1)]


def log_ticks(low, high):
    """Round ratios inside low..high; finer ones the narrower it is."""
    for choice in ((1,), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 7, 8, 9)):
        found = [factor * 10.0 ** power for power in range(-6, 12) for factor in choice if low <= factor * 10.0 ** power <= high]
        if len(found) >= 4:
            return found
    step = ticks(high - low, 5)[1]
    return [round(i * step, 6) for i in range(math.ceil(low / step), int(high / step) + 1)]


class Figure:
    def __init__(self, key, title, width, height, names, text):
        self.key, self.title, self.width, self.height = key, title, width, height
        self.names, self.text = names, text  # text: how to read it
        self.parts = []

    def add(self, part):
        self.parts.append(part)

    def line(self, x1, y1, x2, y2, css, more=""):
        self.add(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"{more}/>')

    def label(self, x, y, text, css="", anchor="start", more=""):
        css = f' class="{css}"' if css else ""
        self.add(f'<text x="{x:.1f}" y="{y:.1f}"{css} text-anchor="{anchor}"{more}>{escape(text)}</text>')

    def mark(self, name, x, y, size=4.5, css="pt", hint=""):
        colour = f"var(--{slug(self.names.index(name))})"
        shape = SHAPES.get(family(name), ("diamond", "square", "triangle")[self.names.index(name) % 3])
        if name == "hakmem":
            size *= 1.2
        inner = f"<title>{escape(hint)}</title>" if hint else ""
        ground = 'stroke="var(--ground)" stroke-width="1"'
        if shape == "circle":
            self.add(f'<circle class="{css}" cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}" fill="{colour}" {ground}>{inner}</circle>')
            return
        if shape == "ring":
            self.add(f'<circle class="{css}" cx="{x:.1f}" cy="{y:.1f}" r="{size * .85:.1f}" fill="var(--ground)" '
                     f'stroke="{colour}" stroke-width="2">{inner}</circle>')
            return
        outlines = {
            "square": [(-.85, -.85), (.85, -.85), (.85, .85), (-.85, .85)],
            "triangle": [(0, -1.1), (1.05, .8), (-1.05, .8)],
            "down": [(0, 1.1), (1.05, -.8), (-1.05, -.8)],
            "diamond": [(0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)],
            "cross": [(-1, -.65), (-.65, -1), (0, -.35), (.65, -1), (1, -.65), (.35, 0), (1, .65), (.65, 1), (0, .35),
                      (-.65, 1), (-1, .65), (-.35, 0)],
        }
        points = " ".join(f"{x + dx * size:.1f},{y + dy * size:.1f}" for dx, dy in outlines[shape])
        self.add(f'<polygon class="{css}" points="{points}" fill="{colour}" {ground}>{inner}</polygon>')

    def legend(self, y, names):
        x = 12.0
        for name in names:
            self.mark(name, x, y - 4, 5, "key")
            main = name == "hakmem"
            self.label(x + 10, y, shown(name), "strong" if main else "")
            x += 10 + text_width(shown(name), main) + 26

    def svg(self, alone=False):
        """Standing alone it brings its own style; inside the page it shares the page's."""
        head = f'<style>{style(self.names, "svg")}</style><rect class="ground" width="100%" height="100%"/>' if alone else ""
        size = f' width="{self.width}" height="{self.height}"' if alone else ""
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"{size} role="img" '
                f'aria-label="{escape(self.title, quote=True)}" id="{self.key}">{head}{"".join(self.parts)}</svg>')
