#!/usr/bin/env python3
"""Replays bench_traces/ on the library: what is resident at most beside what is live at most is within 2 % of bench_traces/FIGURES.

One thread, in order, at addresses that are the same each time: so the figures are, too, without a clock in them. What a change costs
or gains stands in its diff: --write writes the figures down anew. Status 77: this machine can't have them.
"""
import argparse, glob, json, os, platform, subprocess, sys

os.chdir(os.path.dirname(os.path.abspath(__file__)) + "/..")
HAKMEM, LIBRARY, FIGURES = "cli/target/release/hakmem", "target/release/libhakmem.so", "bench_traces/FIGURES"
ALLOWED = 0.02
# No block goes back because time passed: a slow machine is to have the same figures.
SETTINGS = {"HAKMEM_DECAY_MS": "600000"}


def skip(why):
    print(why)
    sys.exit(77)


def replay(trace):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HAKMEM_", "LD_"))}
    command = ["setarch", "-R", HAKMEM, "replay", "--lib", LIBRARY, "--with", "none", "--runs", "1", "--threads", "1", "--no-latencies", "--json", trace]
    done = subprocess.run(command, env={**environment, **SETTINGS}, capture_output=True, text=True, timeout=120)
    if done.returncode:
        sys.exit(f"{trace}: {done.stderr or done.stdout}")
    one = next(one for one in json.loads(done.stdout)["allocators"] if one["name"] == "hakmem")
    if not one["same_live"] or one["refused"]:
        sys.exit(f"{trace}: not all of it was replayed")
    return one["peak_resident_over_peak_live"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the figures down")
    write = parser.parse_args().write
    if platform.machine() != "x86_64" or os.sysconf("SC_PAGE_SIZE") != 4096:
        skip("the figures are those of x86-64 with pages of 4 KiB")
    if "[always]" in open("/sys/kernel/mm/transparent_hugepage/enabled").read():
        skip("huge pages are given to whoever does not ask: the figures are those without")
    if subprocess.run(["setarch", "-R", "true"], capture_output=True).returncode:
        skip("addresses can't be kept the same here: setarch -R is refused")
    if not os.path.exists(HAKMEM):
        subprocess.run(["cargo", "build", "--quiet", "--release", "--locked", "--manifest-path", "cli/Cargo.toml"], check=True)
    written = dict(line.split() for line in open(FIGURES) if not line.startswith("#")) if os.path.exists(FIGURES) else {}
    found, wrong = {}, 0
    for trace in sorted(glob.glob("bench_traces/*.hkt")):
        name = os.path.basename(trace).removesuffix(".hkt")
        found[name] = replay(trace)
        expected = float(written.get(name, "nan"))
        ok = abs(found[name] / expected - 1) <= ALLOWED
        wrong += not ok and not write
        print(f"{'ok' if ok else 'written' if write else 'FAILED'} {name}: {found[name]:.3f}, it was {expected:.3f}")
    if write:
        with open(FIGURES, "w") as file:
            file.write("# Resident at most over live at most, of each trace: scripts/check_traces.py --write\n")
            file.writelines(f"{name} {figure:.3f}\n" for name, figure in found.items())
    elif wrong:
        print("If the change is worth it: scripts/check_traces.py --write, and say why in the commit.")
    print(f"{len(found) - wrong} passed, {wrong} failed")
    sys.exit(bool(wrong))


main()
