#!/usr/bin/env bash
# HAKMEM at work: Python compiling its own standard library, then a benchmark, each under LD_PRELOAD with statistics.
# Both ask the process itself which malloc serves it. Python's result must equal the one under the system's malloc.
set -euo pipefail
cd "$(dirname "$0")/.."
lib=$PWD/target/release/libhakmem.so
# The interpreter itself: a wrapper script in front of it would be a second preloaded program.
python=$({ [ -x /usr/bin/python3 ] && echo /usr/bin/python3; } || python3 -c 'import sys; print(sys.executable)')
unset LD_PRELOAD

work=$(mktemp --suffix .py)
trap 'rm -f "$work"' EXIT
cat >"$work" <<'END'
import ast, ctypes, json, pathlib, resource, sqlite3, sys, threading, time, zlib

start, done = time.monotonic(), {}
files = sorted(pathlib.Path(ast.__file__).parent.glob("*.py"))

def compile_every_fourth(first):
    for path in files[first::4]:
        tree = ast.parse(path.read_bytes())
        code = compile(tree, path.name, "exec")
        names = sorted(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
        done[path.name] = [len(code.co_code), zlib.crc32(json.dumps(names).encode())]

threads = [threading.Thread(target=compile_every_fourth, args=(first,)) for first in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
db = sqlite3.connect(":memory:")
db.execute("create table done (name text, code int, names int)")
db.executemany("insert into done values (?, ?, ?)", [(name, *sums) for name, sums in done.items()])
print("result", len(done), zlib.crc32(repr(db.execute("select * from done order by name").fetchall()).encode()))

try:
    version = ctypes.CDLL(None).hak_version
    version.restype = ctypes.c_char_p
    served_by = version().decode()
except AttributeError:
    served_by = "the system's malloc"
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(f"python {sys.version.split()[0]}: {time.monotonic() - start:.1f} s, peak {peak} MiB, served by {served_by}",
      file=sys.stderr)
END

# Every object through malloc, not through Python's own pools.
export PYTHONMALLOC=malloc
echo "== Python parses and compiles its standard library in four threads (one run each; figures: make bench)"
expected=$("$python" -s "$work")
got=$(LD_PRELOAD=$lib HAKMEM_STATS=1 "$python" -s "$work")
echo "$got"
[ "$got" = "$expected" ] || { echo "FAILED: the system's malloc gave: $expected"; exit 1; }
LD_PRELOAD=$lib "$python" -I -c 'import ctypes; ctypes.CDLL(None).hak_version' 2>/dev/null ||
    { echo "FAILED: hakmem does not serve $python"; exit 1; }

echo "== bench_random_mixed: 10 million operations on 256 slots, blocks of 16 to 1039 bytes"
report=$(LD_PRELOAD=$lib HAKMEM_STATS=1 bench_c/build/bench_random_mixed_system 10000000 256 42)
echo "$report"
[[ $report == *served_by=hakmem* ]] || { echo "FAILED: hakmem does not serve the benchmark"; exit 1; }
