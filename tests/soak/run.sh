#!/usr/bin/env bash
# The soak test: soak.c again and again, each time in another mode, with another fault and another seed, until the time is
# up. Prints a line a run and the sums; a failure names the command that does it again.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lib=$here/../../target/release/libhakmem.so seconds=600 seed=$(date +%s) profile=

usage() {
    cat >&2 <<'END'
usage: tests/soak/run.sh [--lib PATH] [--seed N] [--profile] [SECONDS]
  --lib PATH   the library (default: target/release/libhakmem.so)     SECONDS   how long (default: 600)
  --seed N     of the first run (default: the time)
  --profile    the profiler is switched on and off in all runs, not only in one mode
  exit status: 0 no failure, 1 failures, 2 wrong arguments
END
    exit 2
}
while [ $# -gt 0 ]; do
    case $1 in
    --lib) [ $# -ge 2 ] || usage; lib=$2; shift 2 ;;
    --seed) [[ ${2-} =~ ^[0-9]+$ ]] || usage; seed=$2; shift 2 ;;
    --profile) profile=1; shift ;;
    [1-9]*) [[ $1 =~ ^[0-9]+$ ]] || usage; seconds=$1; shift ;;
    *) usage ;;
    esac
done
[ -r "$lib" ] || { echo "run.sh: no library at $lib" >&2; usage; }
lib=$(readlink -f "$lib")
unset LD_PRELOAD
ulimit -c 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A copy: a build meanwhile does not change what is tested.
cp "$lib" "$work/lib.so"
plain=(-fno-builtin-malloc -fno-builtin-calloc -fno-builtin-realloc -fno-builtin-free)
compile=("${CC:-gcc}" -O2 -g -Wall -Wextra -Wno-unused-parameter -pthread "${plain[@]}" "$here/soak.c" -o)
"${compile[@]}" "$work/soak"
"${CC:-gcc}" -D_GNU_SOURCE "$here/../c/probe.c" -o "$work/probe" -ldl
LD_PRELOAD=$work/lib.so "$work/probe" || { echo "run.sh: not served by HAKMEM: $lib" >&2; exit 1; }

modes=(
    ""
    "HAKMEM_DECAY_MS=1"
    "HAKMEM_TINY_HEAP_V2=0"
    "HAKMEM_DECAY_MS=0 HAKMEM_SUPERSLAB_CACHE=0"
    "HAKMEM_REMOTE_NODES=0 HAKMEM_SLOT_NODES=0"
    "HAKMEM_TINY_HEAP_V2_CLASS_MASK=0x55555"
    "HAKMEM_TINY_HEAP_V2=0 HAKMEM_TINY_FRONT_DIRECT=1"
)
if HAKMEM_HELP=1 LD_PRELOAD=$work/lib.so "$work/probe" 2>&1 | grep -q HAKMEM_HARDENED; then
    modes+=("HAKMEM_HARDENED=1" "HAKMEM_HARDENED=light")
fi
# The heap profiler is switched by a signal, on or off, four times a second; when it goes off a profile is written.
switched="HAKMEM_PROF_SIGNAL=USR2 HAKMEM_PROF_RATE=16384 HAKMEM_PROF_FILE=$work/profile.pb"
modes+=("$switched")
faults=(none limit refuse)

switch() { # the program that process $1 runs, as long as that is there
    while sleep 0.25 && kill -0 "$1" 2>/dev/null; do
        pkill -USR2 -P "$1" || true
    done
}

each=$((seconds / (${#modes[@]} * ${#faults[@]})))
each=$((each < 3 ? 3 : each > 60 ? 60 : each))
runs=0 failures=0 end=$((SECONDS + seconds))
: >"$work/all"
while [ $SECONDS -lt $end ]; do
    # The fault shifts by one with each round of modes: every pair comes.
    mode=${modes[runs % ${#modes[@]}]} fault=${faults[(runs + runs / ${#modes[@]}) % ${#faults[@]}]}
    left=$((end - SECONDS)) status=0
    [ -z "$profile" ] || [[ $mode == *PROF* ]] || mode="$mode $switched"
    # shellcheck disable=SC2086 # a mode is several words
    timeout -k 5 $((each + 300)) env $mode LD_PRELOAD="$work/lib.so" \
        "$work/soak" $((left < each ? left : each)) $seed $fault >"$work/out" 2>"$work/err" &
    runner=$!
    if [[ $mode == *PROF* ]]; then switch $runner & fi
    wait $runner || status=$?
    wait
    # Where memory is refused there may be none for a profile: the program goes on.
    if [ $fault != none ]; then sed -i '/^hakmem: HAKMEM_PROF_/d' "$work/err"; fi
    if [[ $status == 0 && $fault == none && $mode == *PROF* && ! -s $work/profile.pb ]]; then echo "no profile was written" >"$work/err"; fi
    rm -f "$work/profile.pb"
    if [ $status = 77 ]; then
        echo "skipped ${mode:-default} $fault: $(tail -n 1 "$work/err")"
        faults=(none limit)
    elif [ $status != 0 ] || [ -s "$work/err" ]; then
        failures=$((failures + 1))
        echo "FAILED (status $status): $(head -n 3 "$work/err" | tr '\n' ' ')"
        echo "    again: ${compile[*]} soak; env $mode LD_PRELOAD=$lib ./soak $each $seed $fault"
    else
        echo "ok $(tr ' ' '\n' <<<"${mode:-default}" | grep -v PROF_[RF] | xargs) $fault: $(cat "$work/out")"
        cat "$work/out" >>"$work/all"
    fi
    runs=$((runs + 1)) seed=$((seed + 1))
done
awk -v runs=$runs -v failures=$failures '
    { for (i = 1; i < NF; i += 2) sum[$i] += $(i + 1) }
    END {
        printf "%d runs, %.0f operations, %.0f forks, %.0f threads, %.0f faults injected, %.0f nulls, %.0f bytes verified\n",
            runs, sum["operations"], sum["forks"], sum["threads"], sum["faults"], sum["nulls"], sum["bytes"]
        printf "%d passed, %d failed\n", runs - failures, failures
    }' "$work/all"
exit $((failures > 0))
