#!/usr/bin/env python3
"""What each malloc does with every trap, fault and misuse there is a program for: tests/c/{traps,misuse,damage}.

usage: scripts/matrix.py [--all] [--with NAME=PATH]... [--list FILE] [--rows GLOB] [--jobs N] [--write]
  (nothing)         the check of CI: the rows of docs/RELIABILITY.md are the programs there are, and tests/c/damage, which
                    tests/c/run.sh does not run, does with HAKMEM what the document says
  --all             the whole table: HAKMEM, the system's malloc, and Debian's mimalloc, jemalloc, tcmalloc and Scudo if installed
  --with NAME=PATH  another column        --list FILE   many: a file of NAME=PATH lines
  --rows GLOB       only these rows, e.g. 'misuse/*'      --jobs N   programs at once (default 2)
  --write           put what was run into the table of docs/RELIABILITY.md (else: print it)
"""
import fnmatch, glob, os, re, signal, subprocess, sys, tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

repo = Path(__file__).resolve().parent.parent
tests, document = repo / "tests/c", repo / "docs/RELIABILITY.md"
ours = repo / "target/release/libhakmem.so"
BEGIN, END = "<!-- scripts/matrix.py --write -->", "<!-- end -->"
SPARE = 4 << 30 # a program that takes all but this is stopped: outcome `memory`
LIMIT = {"traps": 90, "misuse": 20, "damage": 20} # seconds; most end within one
DIRECTIVE = re.compile(r"// (run|env|cflags|forms|expect[-a-z]*|stderr): |// (alone|plugin)$")
TITLE = {
    "traps": "Traps and faults",
    "misuse": "Misuse",
    "damage": "Damage: misuse that default mode can't see",
}

def usage(status=2):
    print(__doc__[__doc__.index("usage"):].strip(), file=sys.stderr)
    sys.exit(status)

def directives(text, name):
    return re.findall(rf"^// {name}: *(.*)$", "\n".join(text.splitlines()[:25]), re.M)

class Row:
    def __init__(self, path):
        self.kind, self.name, self.text = path.parent.name, path.stem, path.read_text()
        self.id = f"{self.kind}/{self.name}"
        comment = []
        for line in self.text.splitlines():
            if DIRECTIVE.match(line) and not comment:
                continue
            if not line.startswith("// ") or DIRECTIVE.match(line):
                break
            comment.append(line[3:])
        self.what = re.split(r"\. |\.$|; ", " ".join(comment))[0].replace('"', "'").replace("|", "\\|")

def rows(pattern="*"):
    found = [Row(path) for kind in TITLE for path in sorted((tests / kind).glob("*.c*"))]
    # Of misuse, what is to be reported on stderr; some tests are about what an abort runs into.
    found = [row for row in found if row.kind != "misuse"
             or directives(row.text, "expect-stderr") and directives(row.text, "expect-signal")]
    # What asks for HAKMEM's own functions or switches means nothing to others.
    return [row for row in found if fnmatch.fnmatch(row.id, pattern) and not re.search(r"hak_|HAKMEM_", row.text)
            or row.id in ("traps/setuid", "traps/static_link") and fnmatch.fnmatch(row.id, pattern)]

def available():
    """Bytes of memory that nobody uses."""
    return int(re.search(r"MemAvailable: *(\d+)", Path("/proc/meminfo").read_text())[1]) << 10

def outcome(row, library, mode):
    """One word, or two, for what the program did with the library."""
    binary = tests / "build" / row.kind / row.name
    if not binary.exists():
        return "?"
    command = (directives(row.text, "run") or ["exec $RUN"])[0]
    own = row.id in ("traps/setuid", "traps/static_link")
    if own and not library.endswith("libhakmem.so") or not library and "$LIB" in command:
        return "–"
    with tempfile.TemporaryDirectory(prefix="matrix.") as work:
        env = {name: value for name, value in os.environ.items() if name not in ("LD_PRELOAD", "FULL")}
        env.update(LC_ALL="C", here=str(tests), LIB=library, BIN=str(binary), TMP=work, ANY="1", build=str(tests / "build"))
        variables = " ".join(directives(row.text, "env") + mode)
        env["RUN"] = f"env {variables} {'LD_PRELOAD=' + library if library else ''} {binary}"
        if mode:
            env.update(pair.split("=", 1) for pair in mode)
        with open(f"{work}/out", "wb") as out, open(f"{work}/err", "wb") as err:
            process = subprocess.Popen(["sh", "-c", f"ulimit -c 0; echo 1000 >/proc/self/oom_score_adj; {command}"], cwd=work, env=env, stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=err, start_new_session=True)
            status, left = None, LIMIT[row.kind] * 5
            while status is None and left > 0 and available() > SPARE:
                left -= 1
                try:
                    status = process.wait(0.2)
                except subprocess.TimeoutExpired:
                    pass
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        said = Path(f"{work}/err").read_bytes().strip()
    if status is None:
        return "memory" if left > 0 else "hang"
    number = -status if status < 0 else status - 128 if status > 128 else 0
    if number == signal.SIGABRT:
        return "reported" if said else "abort"
    if number == signal.SIGALRM: # the program's own watch
        return "hang"
    if number:
        return f"reported, {signal.Signals(number).name}" if said and row.kind != "traps" else signal.Signals(number).name
    if status == 77:
        return "–"
    if row.kind == "traps":
        return "ok" if status == 0 else "fails"
    return "corrupt" if status == 3 else "fails" if status not in (0, 1) else "silent"

def compile_all():
    subprocess.run([tests / "run.sh"], env={**os.environ, "COMPILE": "1"}, check=True, stdout=subprocess.DEVNULL)

def hardened():
    shown = subprocess.run(["true"], env={"LD_PRELOAD": str(ours), "HAKMEM_HELP": "1"}, capture_output=True, text=True).stderr
    return "HAKMEM_HARDENED" in shown

def columns(arguments):
    """Name, library and mode of each column."""
    found = [("HAKMEM", str(ours), [])]
    if hardened():
        found.append(("hardened", str(ours), ["HAKMEM_HARDENED=1"]))
    if "--all" in arguments:
        found.append(("glibc", "", []))
        system = "/usr/lib/x86_64-linux-gnu/"
        for name, place in (("mimalloc", system + "libmimalloc.so.2"), ("jemalloc", system + "libjemalloc.so.2"),
                            ("tcmalloc", system + "libtcmalloc_minimal.so.4"),
                            ("Scudo", "/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.scudo_standalone-x86_64.so")):
            found += [(name, path, []) for path in sorted(glob.glob(place))[-1:]]
    return found

def table(kind, chosen, results, names):
    part = [row for row in chosen if row.kind == kind]
    if not part:
        return []
    lines = [f"### {TITLE[kind]}", "", "| program | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for row in part:
        cells = [results[row.id, name] for name in names]
        lines.append(f"| [{row.name}](../tests/c/{row.id}{'.cpp' if (tests / (row.id + '.cpp')).exists() else '.c'} \"{row.what}\") | " + " | ".join(cells) + " |")
    return lines + [""]

def documented():
    """The rows of the document: program, and HAKMEM's cells by column."""
    text = document.read_text().split(BEGIN)[1].split(END)[0]
    found, header = {}, []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| program"):
            header = cells
        elif link := re.search(r"tests/c/(\w+/\w+)\.", line):
            found[link[1]] = dict(zip(header[1:], line.rsplit(") |", 1)[1].strip(" |").split(" | ")))
    return found

def check():
    compile_all()
    written, wrong = documented(), []
    present = {row.id: row for row in rows()}
    wrong += [f"{row}: not in docs/RELIABILITY.md; scripts/matrix.py --rows {row} --write" for row in present.keys() - written.keys()]
    wrong += [f"{row}: in docs/RELIABILITY.md, but there is no such program" for row in written.keys() - present.keys()]
    good = {"traps": {"ok", "–"}, "misuse": {"reported"}}
    wrong += [f"{row}: the document says {cells['HAKMEM']}" for row, cells in written.items()
              if cells["HAKMEM"] not in good.get(row.split("/")[0], {cells["HAKMEM"]})]
    damage = [row for row in present.values() if row.kind == "damage" and row.id in written]
    for name, library, mode in columns([]):
        for row in damage:
            got, said = outcome(row, library, mode), written[row.id].get(name)
            # Hardened mode places blocks at random: what lies in front of one may be unmapped.
            if got != said and not {got, said} <= {"reported", "SIGSEGV"}:
                wrong.append(f"{row.id}: {name}: {got}, the document says {said}")
    print("\n".join(wrong) or f"{len(present)} rows, as in docs/RELIABILITY.md; {len(damage)} run")
    print(f"{len(present) - len(wrong)} passed, {len(wrong)} failed")
    sys.exit(bool(wrong))

def main(arguments):
    if not ours.exists():
        sys.exit("matrix.py: no target/release/libhakmem.so: make build")
    if not arguments:
        check()
    others, pattern, jobs, write = [], "*", 2, False
    rest = iter(arguments)
    for argument in rest:
        value = None if argument in ("--all", "--write") else next(rest, None)
        if argument == "--with" and value and "=" in value:
            others.append((*value.split("=", 1), []))
        elif argument == "--list" and value and Path(value).is_file():
            others += [(*line.split("=", 1), []) for line in Path(value).read_text().splitlines()]
        elif argument == "--rows" and value:
            pattern = value
        elif argument == "--jobs" and value and value.isdigit():
            jobs = int(value)
        elif argument == "--write":
            write = True
        elif argument != "--all":
            usage(0 if argument in ("-h", "--help") else 2)
    compile_all()
    chosen, columns_ = rows(pattern), columns(arguments) + others
    alone = [row for row in chosen if re.search(r"^// alone$", row.text, re.M)]
    results = {}
    def run(row):
        for name, library, mode in columns_:
            results[row.id, name] = outcome(row, library, mode)
        print(row.id, *(f"{name}={results[row.id, name]}" for name, _, _ in columns_), file=sys.stderr, flush=True)
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(run, [row for row in chosen if row not in alone]))
    for row in alone:
        run(row)
    names = [name for name, _, _ in columns_]
    if write: # what was not run keeps what the document says of it
        old, chosen = documented(), rows()
        names = list(dict.fromkeys([name for cells in old.values() for name in cells] + names))
        for row in chosen:
            for name in names:
                results.setdefault((row.id, name), old.get(row.id, {}).get(name, "?"))
    text = "\n".join(line for kind in TITLE for line in table(kind, chosen, results, names))
    if not write:
        return print(text)
    before, rest = document.read_text().split(BEGIN)
    document.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{rest.split(END)[1]}")

main(sys.argv[1:])
