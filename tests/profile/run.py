#!/usr/bin/env python3
"""Known loads in C, C++ and Rust against the profiler's estimates of them, over many seeds: of the means at most one in a hundred may be more than three
standard errors of the mean off, and none more than four; of the single figures one in fifty may be more than three standard errors off.
usage: tests/profile/run.py [RUNS], 50 by default: a minute"""
import math, os, subprocess, sys, tempfile
from pathlib import Path

here = Path(__file__).resolve().parent
repo = here.parent.parent
library = repo / "target/release/libhakmem.so"
RATES = 4096, 524288

def build(work):
    """The programs, by name."""
    c = ["-g", "-O1", "-pthread", "-D_GNU_SOURCE", f"-I{repo}/tests/c", f"-I{repo}/include", "-fno-builtin"]
    commands = {
        "C": ["gcc", *c, "-w", repo / "tests/c/conformance/prof_estimates.c", library],
        "C++": ["g++", "-std=c++17", *c, here / "loads.cpp"],
        "Rust": ["rustc", "--edition", "2024", "-O", here / "loads.rs"],
    }
    for name, command in commands.items():
        subprocess.run([*command, "-o", work / name], check=True)
    return {name: work / name for name in commands}

def scores(program, rate, work):
    """Of each figure how many standard errors it is off, in one run."""
    profile = work / "profile.pb"
    env = {**os.environ, "LD_PRELOAD": str(library), "HAKMEM_PROF_RATE": str(rate), "HAKMEM_PROF_FILE": str(profile)}
    # The C program switches it on itself.
    if program.name != "C":
        env["HAKMEM_PROF"] = "1"
    said = subprocess.run([program, *([profile] if program.name == "C" else [])], env=env, check=True, capture_output=True).stdout
    command = [sys.executable, repo / "tests/c/pprof.py", "--scores", profile]
    out = subprocess.run(command, input=said, check=True, capture_output=True).stdout.decode()
    return {tuple(words[:2]): float(words[2]) for words in map(str.split, out.splitlines())}

def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    failed = 0
    with tempfile.TemporaryDirectory(prefix="profile.") as work:
        for name, program in build(Path(work)).items():
            for rate in RATES:
                all_scores = [scores(program, rate, Path(work)) for _ in range(runs)]
                means = {" ".join(figure): sum(run[figure] for run in all_scores) / math.sqrt(runs) for figure in all_scores[0]}
                worst = max(means, key=lambda figure: abs(means[figure]))
                beyond = sum(abs(mean) > 3 for mean in means.values())
                singles = [abs(score) > 3 for run in all_scores for score in run.values()]
                bad = abs(means[worst]) > 4 or beyond > max(1, len(means) / 100) or sum(singles) > max(1, len(singles) / 50)
                failed += bad
                print(f"{'FAILED' if bad else 'ok'} {name}, rate {rate}, {runs} runs: of {len(means)} means {len(means) - beyond} within three standard errors, "
                      f"{worst} off most with {means[worst]:+.2f}; of {len(singles)} single figures {len(singles) - sum(singles)} within three", flush=True)
    print(f"{3 * len(RATES) - failed} passed, {failed} failed")
    sys.exit(failed > 0)

main()
