#!/usr/bin/env bash
# Locked instructions (a lock prefix, or xchg with memory) per 1,000 operations, counted by callgrind and objdump outside the program: what
# threads on many cores would wait for each other over, seen on any machine. What a busy machine changes is whose turn it is.
# Without a program the rows below run, and HAKMEM must keep within their limits.
# usage: scripts/count_sharing.sh [--peers] [--functions] [--lib libhakmem.so] [-- PROGRAM ARGUMENTS...]; status 1: over a limit, 77: no valgrind here
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(uname -m)" = x86_64 ] || { echo "what locks is told by x86-64's instructions"; exit 77; }
for tool in valgrind objdump python3; do
    command -v $tool >/dev/null || { echo "there is no $tool"; exit 77; }
done
unset LD_PRELOAD "${!HAKMEM_@}"
export LC_ALL=C

exec python3 -I - "$@" <<'END'
import argparse, collections, os, pathlib, re, subprocess, sys, tempfile

# Program, arguments, and the most that HAKMEM may run: what is measured, and with several threads, whose turns differ from run to run, a tenth more
# than the most of two dozen runs beside four busy loops. Over it, a row is counted once more, and that counts.
ROWS = [
    ("bench_random_mixed", "400000 256 42", 1.7),
    ("bench_random_mixed", "100000 256 42 --threads 4", 11.5),
    ("bench_thread_churn", "2 1000 100 16 256 42", 110),
    ("bench_prodcons", "100000 16 256", 160),
    ("bench_cross", "2 100000 64 64", 150),
    ("bench_runs", "4 1 60000 1 100 42", 104),
    ("bench_thread_pool", "16 40 1024", 1_365_000),
    ("bench_mid_large_mt", "2 20000 256 42", 175),
    ("bench_fragmented", "1 200000", 1_600),  # what goes back goes by the clock: 1,360 to 1,440, and 7,200 where magazines of 64 KiB to 1 MiB have 2 MiB
    ("bench_large", "2000 16 42", 14_700),  # likewise: 14,250 to 14,270 beside four busy loops; 15,000 and more with one turn more at the gate
]
PEERS = {
    "mimalloc": "libmimalloc.so.2.0",
    "jemalloc": "libjemalloc.so.2",
    "tcmalloc": "libtcmalloc_minimal.so.4",
}
DIRS = [pathlib.Path(f"/usr/lib/{os.uname().machine}-linux-gnu"), pathlib.Path("/usr/lib64"), pathlib.Path("/usr/lib")]
REPORT = re.compile(r"^Throughput = ([0-9.]+) ops/s .* time=([0-9.]+)s +served_by=(\S+)", re.M)
LOCKED = re.compile(r"^ +([0-9a-f]+):\t(?:.*\block\b|xchg .*\()")

locked_in = {}


def locked(path):
    """Addresses of an object's locked instructions."""
    if path not in locked_in:
        text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        locked_in[path] = {int(hit[1], 16) for hit in map(LOCKED.match, text.splitlines()) if hit}
    return locked_in[path]


def count(library, program, arguments):
    """Operations, and how often locked instructions ran in each function outside the program."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        command = ["valgrind", "-q", "--tool=callgrind", "--dump-instr=yes", "--dump-line=no", "--compress-strings=no", "--compress-pos=no",
                   f"--callgrind-out-file={out}", program, *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "LD_PRELOAD": library})
        report = REPORT.search(done.stdout)
        if done.returncode or not report:
            sys.exit(f"FAILED {program}: {(done.stderr or done.stdout or 'no report').splitlines()[-1]}")
        if re.match(r"lib([a-z]+)", pathlib.Path(library).name)[1] not in report[3]:
            sys.exit(f"FAILED {program}: served by {report[3]}, not by {library}")
        by_function, where, function, skip = collections.Counter(), None, None, False
        for line in out.read_text().splitlines():
            if line.startswith("ob="):
                path = os.path.realpath(line[3:])
                where = None if path == os.path.realpath(program) or not os.path.exists(path) else locked(path)
            elif line.startswith("fn="):
                function = line[3:]
            elif line.startswith("calls="):
                skip = True  # the next line is what the callee cost, which is counted in the callee
            elif line.startswith("0x"):
                if not skip and where:
                    at, times = line.split()[:2]
                    if int(at, 16) in where:
                        by_function[function] += int(times)
                skip = False
        return round(float(report[1]) * float(report[2])), by_function


def main():
    parser = argparse.ArgumentParser(prog="count_sharing.sh")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--functions", action="store_true")
    parser.add_argument("--lib", default="target/release/libhakmem.so")
    parser.add_argument("program", nargs="*")
    options = parser.parse_args()
    library = os.path.realpath(options.lib)
    if not os.path.exists(library):
        sys.exit(f"no such library: {options.lib}")
    libraries = {"hakmem": library}
    if options.peers:
        for name, file in PEERS.items():
            libraries.update({name: str(folder / file) for folder in DIRS if (folder / file).exists()})
    rows = [(options.program[0], " ".join(options.program[1:]), None)] if options.program else ROWS
    over = []
    for program, arguments, limit in rows:
        binary = program if "/" in program else f"bench_c/build/{program}_system"
        if not os.path.exists(binary):
            sys.exit(f"there is no {binary}: make bench_c")
        shown, functions = [], []
        for name, path in libraries.items():
            most = limit if name == "hakmem" and limit is not None else float("inf")
            for _ in range(2):
                ops, by_function = count(path, binary, arguments.split())
                per_thousand = sum(by_function.values()) * 1000 / ops
                is_over = per_thousand > most
                if not is_over:
                    break
            if is_over:
                over.append(program)
            shown.append(f"{name} {per_thousand:.1f}" + (f" (limit {limit})" if name == "hakmem" and limit is not None else ""))
            if options.functions or is_over:
                functions += [f"  {name}:"] + [f"    {times * 1000 / ops:10.1f} {function}" for function, times in by_function.most_common(16)]
        print(f"{program} {arguments}: {', '.join(shown)}", *functions, sep="\n", flush=True)
    if over:
        sys.exit(f"FAILED: over the limit: {', '.join(over)}")


main()
END
