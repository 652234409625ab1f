#!/usr/bin/env bash
# The architecture, checked: src/lib.rs lists the boxes lowest first, in paragraphs. A box names only boxes of earlier
# paragraphs. A file without `unsafe` forbids it. Tests are exempt from the first rule.
set -euo pipefail
cd "$(dirname "$0")/../src"

exec python3 -I - <<'END'
import pathlib, re, sys

# Within a paragraph: who may name whom.
ALLOWED = {("os", "base"), ("stats", "class")}
paragraph, level = {}, 0
for line in pathlib.Path("lib.rs").read_text().splitlines():
    level += not line.strip()
    if box := re.match(r"(?:pub )?mod (\w+);", line):
        paragraph[box[1]] = level

def boxes(text):
    """The x of every crate::x, those in crate::{x, y::{z}} included."""
    yield from re.findall(r"\bcrate::(\w+)", text)
    for start in re.finditer(r"\bcrate::\{", text):
        depth, group = 1, ""
        for char in text[start.end():]:
            depth += (char == "{") - (char == "}")
            if depth == 0:
                break
            group += char if depth == 1 else ""
        yield from re.findall(r"(?:^|,)\s*(\w+)", group)

wrong = []
code = {path: re.sub(r"//.*", "", path.read_text()) for path in sorted(pathlib.Path().glob("*/**/*.rs"))}
for path, text in code.items():
    box = path.parts[0]
    product = re.sub(r"^#\[cfg\([^\n]*test[^\n]*\nmod \w+ \{.*?^\}", "", text, flags=re.M | re.S)
    for other in sorted(set(boxes(product)) - {box}):
        if paragraph.get(other, 99) >= paragraph[box] and (box, other) not in ALLOWED:
            wrong.append(f"src/{path}: {box} names {other}, which is not below it")
    # A mod.rs that forbids does so for its whole box.
    covers = [other for other in code if other == path or path.name == "mod.rs" and path.parent in other.parents]
    if not any(re.search(r"\bunsafe\b", code[other]) for other in covers) and "#![forbid(unsafe_code)]" not in text:
        wrong.append(f"src/{path}: no unsafe, so say #![forbid(unsafe_code)]")
print("\n".join(wrong) or f"{len(paragraph)} boxes, {len(code)} files: layers ok")
sys.exit(bool(wrong))
END
