"""What check_docs.sh looks for in the documents' text, beside the tables: `wrong()` is a list of lines.

- links, anchors and named files lead somewhere;
- each document says in its first paragraph for whom it is;
- what an operator reads knows no box, no word of section 1 of docs/ARCHITECTURE.md and no invariant's number;
- scripts, programs, targets and subcommands in the text exist, and take the options that are written behind them;
- messages that are quoted are in the source;
- docs/ARCHITECTURE.md's boxes, doors, locks and sizes are those of src/;
- README.md's table is computed from that of docs/BENCHMARKS.md.
"""
import glob, os, re

DOCUMENTS = sorted(glob.glob("*.md") + glob.glob("docs/*.md"))
# For people who use the library; STATISTICS.md explains the words it needs.
OPERATORS = ["README.md", "CHANGELOG.md", "docs/USING.md", "docs/RECIPES.md", "docs/OPTIONS.md", "docs/MEMORY.md", "docs/HARDENING.md", "docs/CLI.md",
             "docs/RELIABILITY.md", "docs/BENCHMARKS.md", "docs/man/hakmem.3.in", "docs/man/hakmem.conf.5.in", "cli/src/args/mod.rs",
             *sorted(glob.glob("cli/src/*/args.rs"))]
INNER = re.compile(r"(?<![-\w])(?:T-(?:HEAP|BACKEND|REMOTE|EVENT)|SP-SLOT|Pool-TLS|FastCache|SLL|[Ss]uper[Ss]labs?|[Mm]agazines?|page_map|pool_tls|tiny_heap"
                   r"|slow paths?|remote frees?|(?![CV]\d)[A-Z]\d{1,2})\b(?![-\w=])")


def read(path):
    with open(path) as file:
        return file.read()


def without_blocks(text):
    """The text without what stands between ``` lines."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def anchors(path):
    """As GitHub makes them of headings."""
    found = set()
    for line in re.findall(r"^#+ (.*)$", without_blocks(read(path)), re.M):
        anchor = re.sub(r"[^\w\- ]", "", re.sub(r"\[(.*?)\]\(.*?\)", r"\1", line).lower()).strip().replace(" ", "-")
        while anchor in found:
            anchor += "-1"
        found.add(anchor)
    return found


def links(path, text):
    folder = os.path.dirname(path)
    for target in re.findall(r"\]\(([^)\s]+)", text):
        file, _, heading = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = os.path.normpath(os.path.join(folder, file)) if file else path
        if not os.path.exists(file):
            yield f"there is no {target}"
        elif heading and heading not in anchors(file):
            yield f"there is no heading {target}"
    for name in re.findall(r"\b(?:docs/)?[A-Z_0-9]+\.md\b", text):
        if not any(os.path.exists(os.path.join(at, name)) for at in (folder, ".")):
            yield f"there is no {name}"
    for name in re.findall(r"`([\w./]+/[\w./]+\.(?:rs|sh|py|c|cpp|h|toml|svg))`", text):
        if not any(os.path.exists(os.path.join(at, name)) for at in (folder, ".", "src")):
            yield f"there is no {name}"
    for name in re.findall(r"(?<!tests/)\b(?:traps|misuse|damage|conformance)/\w+", text):
        if not glob.glob(f"tests/c/{name}*"):
            yield f"there is no tests/c/{name}"


def reader(path, text):
    first = re.search(r"^# .*?\n\n(.*?)\n\n", text, re.S)
    if not first or not re.search(r"\bFor [a-z]", first[1]):
        yield "the first paragraph does not say for whom it is"


def inner_words(path, text):
    if path == "docs/OPTIONS.md":
        text = re.sub(r"^## For working on HAKMEM itself.*?(?=^## )", "", text, flags=re.M | re.S)
    if path.endswith(".rs"):
        text = "\n".join(re.findall(r"^ *///(.*)$", text, re.M))
    text = re.sub(r"^<!-- scripts.*?<!-- end -->", "", text, flags=re.M | re.S)
    for line in text.splitlines():
        for word in INNER.findall(line):
            yield f"{word} is a word of docs/ARCHITECTURE.md: {line.strip()[:80]}"


def commands(text):
    """What looks like one of ours in code spans, blocks and indented lines."""
    blocks = re.findall(r"^```(?:sh|)\n(.*?)^```$", text, re.M | re.S)
    spans = re.findall(r"`([^`\n]+)`", without_blocks(text))
    indented = re.findall(r"(?:^|\n\n)((?: {4}[^\n]+\n)+)", without_blocks(text))
    for piece in spans + [line for part in blocks + indented for line in part.splitlines()]:
        yield piece.split(" #")[0].strip()


def wrong_commands(path, text):
    makefile = read("Makefile")
    targets = set(re.findall(r"^([\w.-]+)(?: [\w. -]+)?:(?!=)", makefile, re.M))
    targets |= {name for line in re.findall(r"^([\w. -]+):(?!=)", makefile, re.M) for name in line.split()}
    subcommands = set(re.findall(r"^    (\w+) ?[({,]", read("cli/src/args/mod.rs"), re.M))
    for command in commands(text):
        for script, rest in re.findall(r"(?:^|[ ;=(])((?:scripts|tests)/[\w/.]+\.(?:sh|py))([^;|]*)", command):
            if not os.path.exists(script):
                yield f"there is no {script}"
                continue
            source = read(script) + "".join(read(other) for other in glob.glob("scripts/bench_*.py") + glob.glob("scripts/evaluate*")
                                            if os.path.basename(script).split(".")[0].split("_")[0] in other)
            for option in re.findall(r"(?:^| )(--[a-z][a-z-]*)", rest.split(" -- ")[0]):
                if option not in source:
                    yield f"{script} has no {option}"
        for program, rest in re.findall(r"(?:^|-- )(bench_[a-z_]+|larson)(?= |$)([^;|]*)", command):
            if program == "bench_c":
                continue
            if not os.path.exists(f"bench_c/{program}.c"):
                yield f"there is no bench_c/{program}.c"
                continue
            for option in re.findall(r"(--[a-z-]+)", rest):
                if option not in read(f"bench_c/{program}.c"):
                    yield f"{program} has no {option}"
        if match := re.match(r"(?:sudo )?make ([a-z][a-z0-9_-]*)\b(?!=)", command):
            if match[1] not in targets:
                yield f"there is no make {match[1]}"
        if match := re.match(r"hakmem ([a-z]+)\b(?! *[:.])", command):
            if match[1].capitalize() not in subcommands and match[1] != "help":
                yield f"there is no hakmem {match[1]}"


def messages(path, text):
    sources = None
    for span in re.findall(r"`([^`\n]+)`", text) + re.findall(r"^ {4}(hakmem: .*)$", text, re.M):
        span = re.sub(r"^hakmem: ", "", span)
        if not re.match(r"(?:free|realloc|malloc|new|access|free_sized|unknown option)\b:? [a-z]", span) or "(" in span.split()[0]:
            continue
        sources = sources or "".join(read(file) for file in glob.glob("src/**/*.rs", recursive=True))
        # Up to what the library fills in.
        said = re.split(r"…|, N bytes|, at byte \d+| of a block of| \(0x|\d+ bytes", span)[0].strip(" ,")
        if said and said not in sources and said.removeprefix("access: ") not in sources:
            yield f"no such message: {said}"


def architecture():
    text, library = read("docs/ARCHITECTURE.md"), read("src/lib.rs")
    layers = [re.findall(r"^mod (\w+);", part, re.M) for part in library.split("\n\n")]
    layers = [boxes for boxes in layers if boxes]
    block = re.search(r"```\n(base +os .*?)```", text, re.S)[1]
    drawn = [re.split(r" {4,}", line)[0].split() for line in block.splitlines()]
    if drawn != layers:
        yield f"the list of boxes is not that of src/lib.rs: {[pair for pair in zip(drawn, layers) if pair[0] != pair[1]] or 'length'}"
    rows = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in
            re.search(r"^## 3\..*?^\|---.*?\n(.*?)\n\n", text, re.M | re.S)[1].splitlines()]
    named = [box for row in rows for box in re.findall(r"`(\w+)`", row[0])]
    boxes = [box for layer in layers for box in layer]
    if named != boxes:
        yield f"the table of boxes is not that of src/lib.rs: {sorted(set(named) ^ set(boxes)) or 'order'}"
    for row in rows:
        source = "".join(re.sub(r"//.*", "", read(file)) for box in re.findall(r"`(\w+)`", row[0])
                         for file in glob.glob(f"src/{box}/**/*.rs", recursive=True))
        for name in re.findall(r"`(\w+)`", row[2]):
            # `_json` is short for `write_json`.
            if not re.search(rf"\b(?:fn|struct|enum|trait|mod|type|use .*|static|const)\b.*\b(?:write)?{name}\b", source):
                yield f"{row[0]}: there is no {name}"
        for name in re.findall(r"`([A-Z]+)`", row[3]):
            if not re.search(rf"static {name}: (Aside<)?Mutex", source):
                yield f"{row[0]}: there is no lock {name}"
    order = re.search(r"^## 6\..*?(?=^## )", text, re.M | re.S)[0]
    for file in sorted(glob.glob("src/**/*.rs", recursive=True)):
        product = re.sub(r"^#\[cfg\([^\n]*test[^\n]*\nmod \w+ \{.*?^\}", "", read(file), flags=re.M | re.S)
        for name in re.findall(r"static (\w+): (?:Aside<)?\[?Mutex<", product):
            known = {"REGISTRY": "registry", "META": "meta", "GUARD": "guard", "RANGES_GATHERED": "gather", "ROOMS": "rooms", "NAMES": "rooms",
                     "POOL": "pool"}.get(name, f"`{name}`")
            if known not in order:
                yield f"section 6 has no lock {name} ({file})"
    sizes = {"SuperSlab descriptor": "SuperSlab", "span record": "Span", "large record": "Large", "heap": "Heap", "batch node": "Node",
             "hardened state": "State", "baseline": "Baseline"}
    source = "".join(read(file) for file in glob.glob("src/*/*.rs"))
    for row, name in sizes.items():
        size = re.search(rf"size_of::<{name}>\(\) == ([\d_]+)", source)
        said = re.search(rf"^\| {row} \| (\d+)( KiB)?", text, re.M)
        if not size or not said or int(size[1].replace("_", "")) != int(said[1]) * (1024 if said[2] else 1):
            yield f"section 5: {row}: {said and said[0]}, src/ asserts {size and size[0]}"


def cells(text):
    return [[cell.strip(" *") for cell in re.split(r"(?<!\\)\|", row.strip("|"))] for row in text.strip().splitlines() if row.startswith("|")]


def rounded(text):
    """Between which values a figure like `95.5 M (87.3 M–96.5 M)` was before it was rounded, in millions."""
    figure, unit = re.match(r"([\d.]+) ([Mk])", text.replace("*", "")).groups()
    half = 0.51 * 10 ** -len(figure.partition(".")[2])
    return [(float(figure) + off) * (1 if unit == "M" else 1e-3) for off in (-half, half)]


def comparison():
    """README.md's multiples of glibc, from the operations a second of docs/BENCHMARKS.md: within what rounding those allows."""
    short = cells(re.search(r"^Speed, as a multiple.*?(?=^## )", read("README.md"), re.M | re.S)[0])
    long = cells(re.search(r"^## Against the newest versions\n(.*?)^Peak resident memory", read("docs/BENCHMARKS.md"), re.M | re.S)[1])
    columns = {re.sub(r"gperftools |[()]", "", name): at for at, name in enumerate(long[0])}
    system = next(at for name, at in columns.items() if name.startswith("glibc"))
    for row in short[2:]:
        measured = next((other for other in long[2:] if other[0] == row[0]), None)
        if not measured:
            yield f"docs/BENCHMARKS.md has no row: {row[0]}"
            continue
        for name, value in zip(short[0][1:], row[1:]):
            if name not in columns:
                yield f"docs/BENCHMARKS.md has no column: {name}"
                continue
            (low, high), (least, most) = rounded(measured[columns[name]]), rounded(measured[system])
            low, high = low / most, high / least
            if not low * 0.99 <= float(value) <= high * 1.01:
                yield f"{row[0]}, {name}: {value}, but docs/BENCHMARKS.md makes it {low:.3g} to {high:.3g}"


def wrong():
    found = []
    for path in DOCUMENTS:
        text = read(path)
        for check in (links, reader, wrong_commands, messages):
            found += [f"{path}: {words}" for words in check(path, text)]
    for path in OPERATORS:
        found += [f"{path}: {words}" for words in inner_words(path, read(path))]
    found += [f"docs/ARCHITECTURE.md: {words}" for words in architecture()]
    found += [f"README.md: {words}" for words in comparison()]
    return list(dict.fromkeys(found))
