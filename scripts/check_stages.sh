#!/usr/bin/env bash
# The staged proof of stability: few classes before all, few operations before many, one thread before eight, then every
# fallback forced. Each run must end well, be served by hakmem and say nothing on stderr. One line a stage, before it one
# for each run that failed; closes with `N passed, N failed`, counted in runs. usage: scripts/check_stages.sh [libhakmem.so]
set -euo pipefail
cd "$(dirname "$0")/.."
(($# <= 1)) || { sed -n 's/.*\(usage: .*\)/\1/p' "$0" | head -n 1 >&2; exit 2; }
lib=$(readlink -e "${1:-target/release/libhakmem.so}") || { echo "no such library: ${1:-target/release/libhakmem.so}" >&2; exit 2; }
unset LD_PRELOAD "${!HAKMEM_@}"
export LC_ALL=C
ulimit -c 0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
make -s -C bench_c build/{bench_random_mixed,bench_prodcons,larson}_system >&2
gcc -std=gnu11 -O1 -g -pthread -D_GNU_SOURCE -Wall -Wextra -Wno-unused-result -fno-builtin \
    tests/c/counts/same_behaviour.c -o "$tmp/same_behaviour"

passed=0 failed=0 stage_runs=0 stage_failed=0 stage_start=$EPOCHREALTIME
passes() { passed=$((passed + 1)) stage_runs=$((stage_runs + 1)); }
fails() { # WHAT
    failed=$((failed + 1)) stage_runs=$((stage_runs + 1)) stage_failed=$((stage_failed + 1))
    echo "FAILED $1"
}
stage_ends() { # TITLE
    echo "$1: $stage_runs runs, $stage_failed failed ($(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $stage_start }") s)"
    stage_runs=0 stage_failed=0 stage_start=$EPOCHREALTIME
}

seed=42
preloaded() { # 'A=B C=D' COMMAND...; the exit status is the command's; output in $tmp/out and $tmp/err
    local switches=$1
    shift
    # shellcheck disable=SC2086 # several switches
    timeout -k 5 60 env $switches LD_PRELOAD="$lib" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
}
served() { # 'A=B C=D' PROGRAM ARGUMENT...: why the run is no good, or nothing
    local switches=$1 program=$2 status=0
    shift 2
    preloaded "$switches" "bench_c/build/${program}_system" "$@" || status=$?
    if [ $status = 124 ]; then
        echo "timed out after 60 s"
    elif [ $status != 0 ]; then
        echo "exit status $status: $(head -n 1 "$tmp/err")"
    elif ! grep -q ' served_by=hakmem' "$tmp/out"; then
        echo "not served by hakmem: $(head -n 1 "$tmp/out")"
    elif [[ " $* " == *' --verify '* ]] && ! grep -q ' verified\]' "$tmp/out"; then
        echo "not verified: $(head -n 1 "$tmp/out")"
    fi
}
run() { # 'A=B C=D' PROGRAM ARGUMENT...
    local why
    why=$(served "$@")
    [ -n "$why" ] || [ ! -s "$tmp/err" ] || why="$(wc -l <"$tmp/err") lines on stderr: $(head -n 1 "$tmp/err")"
    if [ -z "$why" ]; then passes; else fails "$*: $why"; fi
}
says() { # LEAST MOST PATTERN 'A=B C=D' PROGRAM ARGUMENT...: of all lines on stderr so many match
    local least=$1 most=$2 pattern=$3 why lines
    shift 3
    why=$(served "$@")
    lines=$(grep -Ec -- "$pattern" "$tmp/err") || true
    [ -n "$why" ] || { ((least <= lines && lines <= most)) || why="$lines lines on stderr match '$pattern', $least to $most should"; }
    if [ -z "$why" ]; then passes; else fails "$*: $why"; fi
}

direct=(HAKMEM_TINY_FRONT_DIRECT=0 HAKMEM_TINY_FRONT_DIRECT=1)
four_classes=HAKMEM_TINY_HEAP_V2_CLASS_MASK=0xF
sets=(128 256 512 1024)
short_runs() { # 'A=B'
    local front cycles ws
    for front in "${direct[@]}"; do
        for cycles in 1000 10000 100000; do
            for ws in "${sets[@]}"; do
                run "$1 $front" bench_random_mixed $cycles "$ws" $seed --verify
                run "$1 $front" bench_random_mixed $cycles "$ws" $seed 16 64 --verify # in C0-C3 alone
            done
        done
    done
}
long_runs() { # 'A=B'
    local front ws
    for front in "${direct[@]}"; do
        for ws in "${sets[@]}"; do run "$1 $front" bench_random_mixed 10000000 "$ws" $seed --verify; done
    done
}
threaded_runs() { # 'A=B C=D'
    run "$1" bench_random_mixed 500000 1024 $seed --threads 8 --verify
    run "$1" bench_random_mixed 500000 256 $seed 16 32768 --threads 8 --verify
    run "$1" larson 0.4 8 1024 1000 10 $seed 8
    run "$1" larson 0.2 512 16384 200 20 $seed 8
    run "$1" bench_prodcons 200000 16 1024 4096 4
    run "$1" bench_prodcons 20000 1025 32768 512 4
}
dry_nodes=(HAKMEM_REMOTE_NODES=0 HAKMEM_SLOT_NODES=0 "HAKMEM_REMOTE_NODES=0 HAKMEM_SLOT_NODES=0")

short_runs $four_classes
stage_ends "stage 1, T-HEAP for C0-C3, 1K to 100K cycles"

short_runs ""
stage_ends "stage 2, T-HEAP for all classes, 1K to 100K cycles"

long_runs $four_classes
long_runs ""
stage_ends "stage 3, 10M cycles"

for front in "${direct[@]}"; do
    threaded_runs "$four_classes $front"
    threaded_runs "$front"
done
stage_ends "stage 4, eight threads"

for dry in "${dry_nodes[@]}"; do threaded_runs "$dry"; done
# They are dry indeed: the statistics count who found none.
says 1 1 'nodes_ran_dry +[1-9]' "HAKMEM_REMOTE_NODES=0 HAKMEM_STATS=1" bench_prodcons 100000 16 1024 4096 4
says 1 1 'slot_hints_dropped +[1-9]' "HAKMEM_SLOT_NODES=0 HAKMEM_STATS=1" bench_prodcons 100000 16 1024 4096 4
stage_ends "stage 5, node pools forced dry"

short_runs HAKMEM_TINY_HEAP_V2=0
long_runs HAKMEM_TINY_HEAP_V2=0
for front in "${direct[@]}"; do threaded_runs "HAKMEM_TINY_HEAP_V2=0 $front"; done
threaded_runs "HAKMEM_TINY_HEAP_V2=0 HAKMEM_TINY_SLL_DRAIN_INTERVAL=1"
for dry in "${dry_nodes[@]}"; do threaded_runs "HAKMEM_TINY_HEAP_V2=0 $dry"; done
stage_ends "stage 6, T-HEAP off"

many_slabs=(bench_random_mixed 1000000 100000 $seed)
for tiny_heap in 1 0; do
    acquire="HAKMEM_TINY_HEAP_V2=$tiny_heap HAKMEM_SS_ACQUIRE_DEBUG=1" release="HAKMEM_TINY_HEAP_V2=$tiny_heap HAKMEM_SS_FREE_DEBUG=1"
    says 1 64 '^hakmem: ss acquire ' "$acquire" "${many_slabs[@]}"
    says 0 0 '^hakmem: ss release |^($|[^h])' "$acquire" "${many_slabs[@]}"
    says 1 64 '^hakmem: ss release ' "$release" "${many_slabs[@]}"
    says 0 0 '^hakmem: ss acquire |^($|[^h])' "$release" "${many_slabs[@]}"
    says 1 64 '' "$acquire" larson 0.2 8 1024 1000 10 $seed 8
    says 1 64 '' "$release" bench_prodcons 200000 16 1024 4096 4
done
stage_ends "stage 7, debug lines: some, and 64 at most of each kind"

behaviours=("HAKMEM_TINY_HEAP_V2=1" "HAKMEM_TINY_HEAP_V2=0" "$four_classes" "${direct[1]}" "HAKMEM_TINY_HEAP_V2=0 ${direct[1]}"
    "$four_classes ${direct[1]}" "HAKMEM_TINY_HEAP_V2=0 HAKMEM_TINY_SLL_DRAIN_INTERVAL=1" "${dry_nodes[2]}"
    "HAKMEM_TINY_HEAP_V2=0 ${dry_nodes[2]}" "HAKMEM_SUPERSLAB_CACHE=0")
for behaviour_seed in 1 $seed 777; do
    same=("$tmp/same_behaviour" $behaviour_seed 100000)
    expected=$("${same[@]}") # the system's: of it the contents count
    expected=${expected% usable=*} usable=
    for switches in "${behaviours[@]}"; do
        status=0
        preloaded "$switches" "${same[@]}" || status=$?
        got=$(<"$tmp/out")
        : "${usable:=${got#* usable=}}" # of the first: the others must agree with it
        if [ $status = 0 ] && [ "$got" = "$expected usable=$usable" ] && [ ! -s "$tmp/err" ]; then
            passes
        else
            fails "$switches same_behaviour $behaviour_seed: status $status, $got, expected $expected usable=$usable $(head -n 1 "$tmp/err")"
        fi
    done
done
stage_ends "stage 8, the same behaviour whatever is on or off"

echo "$passed passed, $failed failed"
exit $((failed > 0))
