"""check.py FOLDER HTML [complete]: opens the report in headless Chromium, light, dark and narrow, and looks for its plots.

The screenshots stay in FOLDER. Prints what is wrong, exits 1 if anything is."""

import html
import json
import re
import shutil
import struct
import subprocess
import sys
import xml.etree.ElementTree
import zlib
from pathlib import Path

folder, page, complete = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] == ["complete"]
wrong = []
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FIGURES = {"scatter", "bars_real", "bars_c", "threads", "slots", "sizes", "memory_real", "memory_c"}


def chromium(url, scheme, size, *options):
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}/profile",
         f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}", f"--window-size={size}", *options, url],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if done.returncode:
        sys.exit(f"chromium: exit {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


def colours(path):
    """(the colour of the upper left corner, how many colours there are); of an 8-bit PNG."""
    data, at, packed = path.read_bytes(), 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        chunk = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", chunk[:10])
            assert depth == 8 and colour in (2, 6), (depth, colour)
        packed += chunk if kind == b"IDAT" else b""
        at += 12 + length
    step = 3 if colour == 2 else 4
    raw, stride = zlib.decompress(packed), width * step
    above, seen, corner = bytearray(stride), set(), None
    for y in range(height):
        start = y * (stride + 1)
        kind, row = raw[start], bytearray(raw[start + 1:start + 1 + stride])
        if kind == 2:
            row = bytearray((a + b) & 255 for a, b in zip(row, above))
        elif kind:
            for x in range(stride):
                left, up, back = (row[x - step] if x >= step else 0), above[x], (above[x - step] if x >= step else 0)
                if kind == 4:
                    guess = left + up - back
                    near = min((abs(guess - v), i, v) for i, v in enumerate((left, up, back)))[2]
                row[x] = (row[x] + (left if kind == 1 else (left + up) // 2 if kind == 3 else near)) & 255
        if y % 8 == 0:
            seen.update(bytes(row[x:x + 3]) for x in range(0, stride, step))
        corner = corner or tuple(row[:3])
        above = row
    return corner, len(seen)


def look(scheme, size):
    probe = folder / "probe.html"
    probe.write_text(page.read_text().replace("</body>", f"<script>{Path(__file__).with_name('check.js').read_text()}</script></body>"))
    found = re.search(r'<pre id="verdict">(.*?)</pre>', chromium(probe.as_uri(), scheme, size, "--dump-dom"), re.S)
    if not found:
        sys.exit("check.js left no verdict")
    verdict = json.loads(html.unescape(found[1]))
    wrong.extend(f"{scheme} {size}: {text}" for text in verdict["wrong"])
    if verdict["dark"] != (scheme == "dark"):
        wrong.append(f"the browser was asked for {scheme} and showed the other")
    if (verdict["ground"] < 0.2) != (scheme == "dark"):
        wrong.append(f"{scheme}: the ground is {'dark' if verdict['ground'] < 0.2 else 'light'}")
    figures = verdict["figures"]
    if not figures:
        wrong.append("no <svg>")
    if complete:
        if set(figures) != FIGURES:
            wrong.append(f"figures: {sorted(figures)}")
        for name, least in (("bars_real", "bars"), ("bars_c", "bars"), ("scatter", "points"), ("threads", "curves"), ("slots", "curves"), ("sizes", "curves")):
            if not figures.get(name, {}).get(least):
                wrong.append(f"{name}: no {least}")
        if verdict["tables"] != 2:
            wrong.append(f"{verdict['tables']} summary tables")
    return figures


for scheme in ("light", "dark"):
    figures = look(scheme, "1100,2400")
    shot = folder / f"{scheme}.png"
    chromium(page.as_uri(), scheme, "1100,2400", f"--screenshot={shot}")
    ground, many = colours(shot)
    if (sum(ground) < 200) != (scheme == "dark"):
        wrong.append(f"{scheme}.png: its ground is {ground}")
    if many < 20:
        wrong.append(f"{scheme}.png: only {many} colours")
look("light", "520,900")

for file in sorted((folder / "svg").glob("*.svg")):
    root = xml.etree.ElementTree.parse(file).getroot()
    links = [value for element in root.iter() for key, value in element.attrib.items() if key.endswith("href")]
    if links or "url(" in file.read_text():
        wrong.append(f"{file.name}: not self-contained")
if {file.stem for file in (folder / "svg").glob("*.svg")} != set(figures):
    wrong.append("the SVG files are not the page's figures")
chromium((folder / "svg" / f"{next(iter(figures))}.svg").as_uri(), "dark", "990,470", f"--screenshot={folder}/svg_dark.png")
if sum(colours(folder / "svg_dark.png")[0]) > 200:
    wrong.append("an SVG file of its own is not dark in the dark")

for number, line in enumerate((folder / "report.md").read_text().splitlines(), 1):
    if line.startswith("|"):
        columns = len(re.findall(r"(?<!\\)\|", line))
        if before and columns != before:
            wrong.append(f"report.md:{number}: {columns} columns after {before}")
        before = columns
    else:
        before = 0
    if re.search(r"\b(nan|inf|None)\b", line):
        wrong.append(f"report.md:{number}: {line}")

for text in wrong[:40]:
    print(f"FAILED: {text}")
if len(wrong) > 40:
    print(f"FAILED: and {len(wrong) - 40} more")
total = {key: sum(figure[key] for figure in figures.values()) for key in ("bars", "points", "curves")}
print(f"{len(figures)} figures, " + ", ".join(f"{count} {key}" for key, count in total.items()))
sys.exit(1 if wrong else 0)
