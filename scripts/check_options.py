#!/usr/bin/env python3
"""Options against traps: the programs of tests/c that forks, signals, cancellation, small stacks and a kernel that refuses are
survived by, in every way the library gets into a program, under every option that changes a path.

usage: scripts/check_options.py [--list] [--jobs N] [--only TRAP]
All pairs: whichever two of trap, form and options one takes, each of their values meets each of the other's in some run. An
option that is not in the table here fails the check, and so does one that no box asks for, or that no other test names. A run
that fails is shown as the command that repeats it."""
import itertools, os, random, re, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

repo = Path(__file__).resolve().parent.parent
tests, library = repo / "tests/c", repo / "target/release/libhakmem.so"
LIMIT = 60 # seconds; most take one
AT_ONCE = 8 # options that a run sets: with more, one hides what another does

# Values that change a path. Not to set an option at all is one more.
OPTIONS = {
    "HAKMEM_TINY_HEAP_V2": ["0"],
    "HAKMEM_TINY_HEAP_V2_CLASS_MASK": ["0x5A5A5"],
    "HAKMEM_TINY_HEAP_V2_STATS": ["1"],
    "HAKMEM_TINY_FRONT_DIRECT": ["1"],
    "HAKMEM_TINY_SLL_DRAIN_INTERVAL": ["1"],
    "HAKMEM_REMOTE_NODES": ["0", "3"],
    "HAKMEM_SLOT_NODES": ["0"],
    "HAKMEM_DECAY_MS": ["0", "8", "-1"],
    "HAKMEM_TRIM_THRESHOLD": ["1", "1G"],
    "HAKMEM_LEARN": ["0"],
    "HAKMEM_LEARN_LOG": ["1"],
    "HAKMEM_POLICY": ["C67=0,C19=1088"],
    "HAKMEM_BACKGROUND": ["1"],
    "HAKMEM_SOFT_LIMIT": ["4M"],
    "HAKMEM_HARD_LIMIT": ["3G"],
    "HAKMEM_PURGE_BATCH": ["1"],
    "HAKMEM_PRESSURE": ["always", "never"],
    "HAKMEM_SUPERSLAB_CACHE": ["0"],
    "HAKMEM_HARDENED": ["1", "light"],
    "HAKMEM_QUARANTINE": ["0"],
    "HAKMEM_GUARD_RATE": ["3"],
    "HAKMEM_TRACE": ["1"],
    "HAKMEM_PROF": ["1"],
    "HAKMEM_PROF_RATE": ["1", "4096"],
    "HAKMEM_PROF_FILE": ["prof.folded"],
    "HAKMEM_PROF_PEAKS": ["2"],
    "HAKMEM_PROF_UNWIND": ["fp"],
    "HAKMEM_PROF_SIGNAL": ["USR2"],
    "HAKMEM_RECORD": ["record.%p"],
    "HAKMEM_THP": ["always", "never"],
    "HAKMEM_NAMES": ["1"],
    "HAKMEM_SS_ACQUIRE_DEBUG": ["1"],
    "HAKMEM_SS_FREE_DEBUG": ["1"],
    "HAKMEM_DEEPBIND": ["keep"],
    "HAKMEM_STATS": ["1", "json:stats"],
    "HAKMEM_STATS_SIGNAL": ["USR2"],
    "HAKMEM_HELP": ["1"],
}
ANY, LINKED = ["preload", "first", "last", "archive", "static", "late"], ["first", "last", "archive", "static"]
# Of each trap its arguments, exit status and forms. `late` asks that all of a program's calls go through check.h's table.
TRAPS = {
    "traps/fork_handlers": ("", 0, ANY),
    "traps/fork_stdio": ("1", 0, ["preload", *LINKED]),
    "traps/fork_in_signal": ("", 0, ["preload", "first", "archive", "static"]),
    "traps/fork_from_thread": ("", 0, ["preload", *LINKED]),
    "traps/cancel_misuse": ("1", 134, ANY),
    "traps/cancel_options": ("", 0, ["preload", "archive", "late"]),
    "traps/thread_cancel": ("", 0, ["preload", *LINKED]),
    "traps/painted_stack": ("", 0, ["preload"]),
    "traps/small_stack": ("", 0, ["preload", *LINKED]),
    "traps/signal_handler": ("", 0, ["preload", *LINKED]),
    "traps/handler_allocates": ("", 0, ["preload", "static"]),
    "traps/signal_threads": ("", 0, ["preload", *LINKED]),
    "traps/exit_while_busy": ("", 3, ["preload", *LINKED]),
    "traps/vfork_spawn": ("", 0, ["preload", *LINKED]),
    "traps/no_fds": ("", 0, ["preload", *LINKED]),
    "traps/seccomp_eperm": ("", 0, ["preload", *LINKED]),
    "traps/seccomp_mprotect": ("", 0, ["preload", *LINKED]),
    "conformance/success_keeps_errno": ("", 0, ["preload", *LINKED]),
}
# What is documented as taking more stack than the rest.
NOT_PAINTED = {"HAKMEM_TRACE", "HAKMEM_SS_ACQUIRE_DEBUG", "HAKMEM_SS_FREE_DEBUG"}

def possible(a, b):
    """Whether a run may have both of two (factor, value) pairs."""
    for (factor, value), (other, its) in ((a, b), (b, a)):
        if factor != "trap":
            continue
        if other == "form" and its not in TRAPS[value][2]:
            return False
        if value == "traps/painted_stack" and other in NOT_PAINTED and its:
            return False
    return True

def all_pairs():
    """Runs, as {factor: value}, that between them have every possible pair. The same ones each time."""
    factors = {"trap": list(TRAPS), "form": ANY, **{name: ["", *values] for name, values in OPTIONS.items()}}
    order, dice = list(factors), random.Random(1)
    left = {frozenset(pair) for f, g in itertools.combinations(order, 2)
            for pair in itertools.product([(f, v) for v in factors[f]], [(g, v) for v in factors[g]]) if possible(*pair)}
    runs = []
    while left:
        run = dict(min(left, key=sorted))
        rest = [factor for factor in order if factor not in run]
        dice.shuffle(rest)
        for factor in [f for f in ("trap", "form") if f in rest] + [f for f in rest if f in OPTIONS]:
            fitting = [v for v in factors[factor] if all(possible((factor, v), item) for item in run.items())]
            if sum(bool(run.get(name)) for name in OPTIONS) >= AT_ONCE and factor in OPTIONS:
                fitting = [""]
            run[factor] = max(fitting, key=lambda v: (sum(frozenset({(factor, v), item}) in left for item in run.items()), dice.random()))
        left -= {frozenset(pair) for pair in itertools.combinations(run.items(), 2)}
        runs.append(run)
    return runs

def command(run):
    """Words for `env`: variables, the program, its arguments."""
    trap, form = run["trap"], run["form"]
    arguments = TRAPS[trap][0].split()
    binary = tests / "build" / (trap if form == "preload" else f"{trap}.{form}")
    entry = {"preload": [f"LD_PRELOAD={library}"], "late": [f"LATE={library}"]}.get(form, [])
    return ["SHORT=1", *(f"{name}={run[name]}" for name in OPTIONS if run[name]), *entry, str(binary), *arguments]

def verdict(run):
    """Why it failed, or None."""
    with tempfile.TemporaryDirectory(prefix="options.") as work:
        env = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD" and not name.startswith("HAKMEM_")}
        try:
            done = subprocess.run(["env", *command(run)], cwd=work, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            return f"not done within {LIMIT} s"
    if done.returncode == 77:
        return None
    if done.returncode % 256 != (TRAPS[run["trap"]][1] if TRAPS[run["trap"]][1] < 128 else 256 + 128 - TRAPS[run["trap"]][1]):
        said = [(text.decode(errors="replace").splitlines() or ["nothing"])[-1] for text in (done.stderr, done.stdout)]
        return f"status {done.returncode}: {said[0]} (stdout: {said[1]})"
    return None

def pointless(table):
    """What is wrong with the options of a table: each is to have a user, and a test of what it does."""
    rust = "\n".join(path.read_text() for path in (repo / "src").rglob("*.rs") if path.name not in ("knobs.rs", "parse.rs"))
    looks = [path.read_text(errors="replace") for folder, ends in ((tests.parent, (".c", ".cpp", ".h", ".rs", ".py", ".sh")), (repo / "scripts", (".sh",)))
             for path in folder.rglob("*") if path.suffix in ends and not {"build", "target"} & set(path.parts)]
    # What names a lot of them takes all, or reads the table: no test of one.
    looks = [look for look in (set(re.findall(r"HAKMEM_[A-Z0-9_]+", text)) for text in looks) if len(look & set(table.values())) < len(table) / 2]
    for field, name in table.items():
        if not re.search(rf"\b(?:get|text)::{field}\(", rust):
            yield f"{name}: nobody asks for it"
        if not any(name in look for look in looks):
            yield f"{name}: no test names it"

def main():
    arguments = sys.argv[1:]
    jobs = int(arguments[arguments.index("--jobs") + 1]) if "--jobs" in arguments else 2
    only = arguments[arguments.index("--only") + 1] if "--only" in arguments else ""
    if {"-h", "--help"} & set(arguments):
        sys.exit(__doc__)
    table = dict(re.findall(r'^    (\w+): "(HAKMEM_\w+)" = ', (repo / "src/config/knobs.rs").read_text(), re.M))
    known = set(table.values())
    if known != set(OPTIONS):
        sys.exit(f"the table of this script and src/config/knobs.rs differ: {' '.join(sorted(known ^ set(OPTIONS)))}")
    if wrong := list(pointless(table)):
        sys.exit("\n".join(wrong))
    runs = [run for run in all_pairs() if only in run["trap"]]
    if "--list" in arguments:
        sys.exit("\n".join(" ".join(command(run)) for run in runs))
    if not library.exists():
        sys.exit("no target/release/libhakmem.so: make build")
    start = time.monotonic()
    for trap, (_, _, forms) in TRAPS.items():
        subprocess.run([tests / "run.sh"], env={**os.environ, "ONLY": trap, "COMPILE": " ".join(["1", *forms[1:]])}, check=True, stdout=subprocess.DEVNULL)
    built, failed = time.monotonic(), 0
    with ThreadPoolExecutor(jobs) as pool:
        for run, why in zip(runs, pool.map(verdict, runs)):
            if why:
                failed += 1
                print(f"FAILED {why}\n    {' '.join(command(run))}", flush=True)
    print(f"{len(runs)} runs for all pairs of {len(TRAPS)} traps, {len(ANY)} forms and {len(OPTIONS)} options: "
          f"{built - start:.0f} s to build, {time.monotonic() - built:.0f} s to run")
    print(f"{len(runs) - failed} passed, {failed} failed")
    sys.exit(failed > 0)

main()
