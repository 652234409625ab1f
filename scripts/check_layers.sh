#!/usr/bin/env bash
# The architecture, checked: src/lib.rs lists the boxes lowest first, in paragraphs. A box names only boxes of earlier
# paragraphs. Within a box no files name each other in a circle, and none names one of a later paragraph of its mod.rs. A box's header
# says whom it calls, who calls it, and which locks it has. Only `os` makes system calls, and `base` does not call libc. A file without `unsafe` forbids it. Tests, and the walkers of `paranoid`, are exempt from all but the last.
# In the command (cli/src) no files name each other in a circle either.
set -euo pipefail
cd "$(dirname "$0")/../src"

exec python3 -I - <<'END'
import pathlib, re, sys

# Within a paragraph: who may name whom.
ALLOWED = {("os", "base"), ("stats", "class")}

wrong, paragraph, level = [], {}, 0
for line in pathlib.Path("lib.rs").read_text().splitlines():
    level += not line.strip()
    if box := re.match(r"(?:pub )?mod (\w+);", line):
        paragraph[box[1]] = level

def product(text):
    """A file's text without comments, tests, and modules within it, which may name what is around them."""
    text = re.sub(r"^#\[cfg\([^\n]*(?:test|paranoid)[^\n]*\n(?:pub\(\w+\) )?(?:use|mod) [^{;]*(?:;|\{[^\n]*\};)", "", text, flags=re.M)
    for condition in (r"^()#\[cfg\([^\n]*test[^\n]*\n", r"^( *)"):
        text = re.sub(condition + r"(?:pub(?:\(\w+\))? )?mod \w+ \{.*?^\1\}", "", text, flags=re.M | re.S)
    return text

def paths(text):
    """Every path that a text names, as lists of names; those of a `use` spelled out."""
    def spell(before, rest):
        group = re.match(r"([\w:]*?)(?:::)?\{(.*)\}$", rest.strip(), re.S)
        if not group:
            yield before + rest.strip().split(" as ")[0].split("::")
            return
        depth, part = 0, ""
        for char in group[2] + ",":
            depth += (char == "{") - (char == "}")
            if char == "," and depth == 0:
                if part.strip():
                    yield from spell(before + [name for name in group[1].split("::") if name], part)
                part = ""
            else:
                part += char
    for used in re.findall(r"\buse\s+([^;]+);", text):
        yield from spell([], used)
    for named in re.findall(r"(?<![\w:])(?:\w+::)+\w+", re.sub(r"\buse\s+[^;]+;", "", text)):
        yield named.split("::")

def circles(edges):
    """The sets of files that name each other in a circle."""
    reach = {file: set(others) for file, others in edges.items()}
    for middle in edges:
        for file in edges:
            if middle in reach[file]:
                reach[file] |= reach[middle]
    return {frozenset(other for other in reach[file] if file in reach[other]) for file in edges if file in reach[file]}


def named_files(files, names):
    """Which others of `files` each of them names. A file is known by its path as a module; a mod.rs by its folder's."""
    module = {path.parts[:-1] if path.name == "mod.rs" else path.with_suffix("").parts: path for path in files}
    edges = {here: set() for here in module}
    for here in edges:
        for name in names[module[here]]:
            name, base = list(name), ()
            if name[0] == "crate":
                name = name[1:]
            elif name[0] in ("self", "super"):
                base = here
                while name and name[0] in ("self", "super"):
                    base = base[:-1] if name.pop(0) == "super" else base
            elif here + (name[0],) in module:
                base = here
            else:
                continue
            while name and base + (name[0],) in module:
                base += (name.pop(0),)
            if base in edges and base != here:
                edges[here].add(base)
    return edges

def read(root, files):
    sources = {path.relative_to(root): path.read_text() for path in sorted(pathlib.Path(root).glob(files))}
    code = {path: re.sub(r"//.*", "", text) for path, text in sources.items()}
    return sources, code, {path: list(paths(product(text))) for path, text in code.items()}


sources, code, names = read(".", "*/**/*.rs")

calls = {box: set() for box in paragraph}
for path, text in code.items():
    box = path.parts[0]
    others = {name[1] for name in names[path] if name[0] == "crate" and len(name) > 1} - {box}
    for other in sorted(others):
        if paragraph.get(other, 99) >= paragraph[box] and (box, other) not in ALLOWED:
            wrong.append(f"src/{path}: {box} names {other}, which is not below it")
    if not sources[path].startswith("//! Feature `paranoid`"):
        calls[box] |= others
    if box != "os" and re.search(r'\bsyscall\b|"svc\b|"ecall\b', product(text)):
        wrong.append(f"src/{path}: a system call, which only os makes")
    if paragraph[box] <= paragraph["os"] and box != "os" and re.search(r'\blibc\b|extern "C"', product(text)):
        wrong.append(f"src/{path}: {box} calls libc")
    # A mod.rs that forbids does so for its whole box.
    covers = [other for other in code if other == path or path.name == "mod.rs" and path.parent in other.parents]
    if not any(re.search(r"\bunsafe\b", code[other]) for other in covers) and "#![forbid(unsafe_code)]" not in text:
        wrong.append(f"src/{path}: no unsafe, so say #![forbid(unsafe_code)]")

# Circles.
walkers = {path: [] for path in code if sources[path].startswith("//! Feature `paranoid`")}
for box in paragraph:
    edges = named_files([path for path in code if path.parts[0] == box], names | walkers)
    wrong += [f"{box}: a circle of imports: " + ", ".join(sorted("/".join(file) for file in files)) for files in circles(edges)]
    # A mod.rs may list its files in paragraphs as lib.rs does its boxes.
    place, part = {}, 0
    for line in sources[pathlib.Path(box, "mod.rs")].splitlines():
        part += not line.strip()
        if file := re.match(r"(?:pub\(crate\) )?mod (\w+);", line):
            place[(box, file[1])] = part
    wrong += [f"src/{'/'.join(here)}.rs: names {other[-1]}, which is not above it in the box's mod.rs"
              for here in edges for other in sorted(edges[here]) if place.get(other, 0) > place.get(here, 99)]
_, command, command_names = read("../cli/src", "**/*.rs")
for files in circles(named_files(command, command_names)):
    wrong.append("cli: a circle of imports: " + ", ".join(sorted("/".join(file) for file in files)))

# Headers.
for box in sorted(paragraph):
    lines = [line[3:].strip() for line in sources[pathlib.Path(box, "mod.rs")].splitlines() if line.startswith("//!")]
    header = " ".join(lines)
    def said(what):
        part = re.search(rf"\b{what}: ((?:[^.(]|\([^)]*\))*)\.", header)
        return part and re.sub(r"\([^)]*\)", "", part[1])
    callers = {other for other in calls if box in calls[other]}
    for what, true, all_of_them in (("Calls", calls[box], "all below"), ("Called by", callers, "all above")):
        text = said(what)
        if text is None and true:
            wrong.append(f"src/{box}/mod.rs: the header does not say: {what}: {', '.join(sorted(true))}")
        if text is None or text.strip() == all_of_them:
            continue
        listed = set(re.findall(r"\w+", text)) & set(paragraph)
        wrong += [f"src/{box}/mod.rs: {what}: lacks {other}" for other in sorted(true - listed)]
        wrong += [f"src/{box}/mod.rs: {what}: names {other}, which is not so" for other in sorted(listed - true)]
    text = " ".join(product(code[path]) for path in code if path.parts[0] == box)
    named = set(re.findall(r"`([A-Z_]+)`", (re.search(r"Locks: (.*?)(?:Threads:|Never:|$)", header) or ("", ""))[1]))
    wrong += [f"src/{box}/mod.rs: Locks: names `{lock}`, which is none" for lock in sorted(named) if not re.search(rf"static {lock}: ", text)]
    wrong += [f"src/{box}/mod.rs: Locks: lacks `{lock}`" for lock in
              sorted(set(re.findall(r"static (\w+): (?:\w+::)?Mutex<", text))) if f"`{lock}`" not in header]

print("\n".join(wrong) or f"{len(paragraph)} boxes, {len(code)} files: layers ok")
sys.exit(bool(wrong))
END
