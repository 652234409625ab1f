#!/usr/bin/env bash
# HAKMEM at work beside this system's malloc, in ten lines: a compiler and two benchmarks, preloaded, the best of three
# interleaved runs each. Needs gcc and nothing else. HAKMEM_STATS=1 shows the counters of another run before them.
set -euo pipefail
cd "$(dirname "$0")/.."
lib=$PWD/target/release/libhakmem.so
statistics=${HAKMEM_STATS:-0}
unset LD_PRELOAD "${!HAKMEM_@}"
export LC_ALL=C
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fail() { echo "FAILED: $*"; exit 1; }
gcc -O1 scripts/bench_exec.c -o "$tmp/bench_exec"

sources=("$PWD"/bench_c/*.c "$PWD/tests/soak/soak.c")
names=(gcc mixed handed)
declare -A title=(
    [gcc]="gcc -O2 compiles ${#sources[@]} C files"
    [mixed]="2 threads, 5 million blocks of 16 B to 1 KiB each"
    [handed]="2 million blocks that another thread frees"
)
gcc=(gcc -O2 -c "${sources[@]}")
mixed=("$PWD/bench_c/build/bench_random_mixed_system" 5000000 65536 42 16 1039 --independent --threads 2)
handed=("$PWD/bench_c/build/bench_prodcons_system" 2000000 16 512)

once() { # NAME MALLOC [VARIABLE=VALUE...]: runs it in MALLOC's directory
    local -n command=$1
    local name=$1 malloc=$2
    shift 2
    mkdir -p "$tmp/$malloc"
    (cd "$tmp/$malloc" && "$tmp/bench_exec" "$tmp/cost" "$@" "${command[@]}" >"$name.out" 2>"$name.err") ||
        fail "$malloc: ${title[$name]}: $(tail -n 3 "$tmp/$malloc/$name.err")"
    echo "$name $malloc $(cat "$tmp/cost")" >>"$tmp/costs"
}
for round in 1 2 3; do
    for name in "${names[@]}"; do
        once "$name" system
        once "$name" hakmem LD_PRELOAD="$lib" HAKMEM_STATS="json:$tmp/$name.%p"
    done
done

# They were served, and the compiler wrote the same.
for name in "${names[@]}"; do
    grep -qs '"allocator": "hakmem"' "$tmp/$name".[0-9]* || fail "hakmem did not serve ${title[$name]}"
done
for object in "$tmp"/system/*.o; do
    cmp "$object" "$tmp/hakmem/${object##*/}" || fail "gcc wrote something else under hakmem"
done
left=$(sed -n 's/.*"live_blocks": *\([0-9]*\).*/\1/p' "$tmp"/mixed.[0-9]* | sort -n | tail -n 1)
((left < 10)) || fail "$left blocks are left of ${title[mixed]}"
if [ "$statistics" != 0 ]; then
    for name in mixed handed; do # gcc is thirty processes
        echo "== ${title[$name]}"
        once "$name" hakmem LD_PRELOAD="$lib" HAKMEM_STATS="$statistics"
        cat "$tmp/hakmem/$name.err"
    done
fi

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
echo "HAKMEM $version beside this system's malloc ($(getconf GNU_LIBC_VERSION 2>/dev/null || echo unknown)); best of 3 runs:"
awk -v names="${names[*]}" -v titles="${title[gcc]}|${title[mixed]}|${title[handed]}" '
    { if (!(($1, $2) in time) || $3 < time[$1, $2]) time[$1, $2] = $3
      if (!(($1, $2) in peak) || $6 < peak[$1, $2]) peak[$1, $2] = $6 }
    END {
        split(titles, title, "|")
        printf "%-50s %8s %8s %6s %10s %10s %6s\n", "", "time", "system", "ratio", "peak", "system", "ratio"
        for (i = 1; i <= split(names, name, " "); i++) {
            t = time[name[i], "hakmem"] / 1e9; u = time[name[i], "system"] / 1e9
            p = peak[name[i], "hakmem"] / 1024; q = peak[name[i], "system"] / 1024
            printf "%-50s %6.2f s %6.2f s %6.2f %6.1f MiB %6.1f MiB %6.2f\n", title[i], t, u, t / u, p, q, p / q
        }
    }' "$tmp/costs"
echo "gcc wrote the same object files under both."
echo "Left behind: none of the two threads' blocks (the C library kept $left of its own); no process; no file but in target/ and bench_c/build/."
echo "Next, your own program:      LD_PRELOAD=$lib yourprogram"
echo "and beside other mallocs:    make cli; cli/target/release/hakmem compare -- yourprogram"
