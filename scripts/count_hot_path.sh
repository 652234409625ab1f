#!/usr/bin/env bash
# Instructions of one malloc and one free that hit the magazine, counted by callgrind through the exported symbols: all that
# the call runs outside the probe, none of the probe's. Then the instructions that ran are looked up in the disassembly:
# none may lock or call. The limits are what is measured. usage: scripts/count_hot_path.sh [libhakmem.so]; status 1: over a limit, 77: no valgrind here
set -euo pipefail
cd "$(dirname "$0")/.."
(($# <= 1)) || { sed -n 's/.*\(usage: [^;]*\);.*/\1/p' "$0" | head -n 1 >&2; exit 2; }
lib=$(readlink -e "${1:-target/release/libhakmem.so}") || { echo "no such library: ${1:-target/release/libhakmem.so}" >&2; exit 2; }
[ "$(uname -m)" = x86_64 ] || { echo "the limits are those of x86-64"; exit 77; }
for tool in valgrind objdump gcc; do
    command -v $tool >/dev/null || { echo "there is no $tool"; exit 77; }
done
unset LD_PRELOAD "${!HAKMEM_@}"
export LC_ALL=C
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
probe=$tmp/hot_path
gcc -std=gnu11 -O1 -Wall -Wextra -fno-builtin tests/c/counts/hot_path.c -o "$probe" -ldl
failed=0

# Addresses in the files are those of the library's own file, so that objdump finds them.
count() { # CALL SIZE [WHERE]: how often each instruction outside the probe ran, as `object address times`, in $tmp/CALL.SIZE[.WHERE]
    local calls ran=$tmp/$1.$2${3:+.$3}
    calls=$(LD_PRELOAD=$lib valgrind -q --tool=callgrind --toggle-collect=measured --dump-instr=yes --dump-line=no \
        --compress-strings=no --compress-pos=no --callgrind-out-file="$tmp/out" "$probe" "$@" 2>"$tmp/err") ||
        { echo "FAILED $1 $2: $(tail -n 1 "$tmp/err")"; return 1; }
    awk -v probe="$probe" '
        /^ob=/ { object = substr($0, 4) }
        /^calls=/ { getline; next } # the line after it is what the callee cost, which is counted in the callee
        /^0x/ && object != probe { ran[object " " $1] += $2 }
        END { for (at in ran) if (ran[at]) print at, ran[at] }' "$tmp/out" >"$ran"
    awk -v calls="$calls" '{ sum += $3 } END { if (sum % calls) printf "%.2f", sum / calls; else print sum / calls }' "$ran"
}

with() { # OPTION CALL SIZE LIMIT: the same in a mode that has no such hits, apart from those that are looked at below
    local kept=$tmp
    echo -n "$1: "
    tmp=$kept/$1
    mkdir -p "$tmp"
    (export "${1?}" && shift && limited "$@" && exit $failed) || failed=1
    tmp=$kept
}
limited() { # CALL SIZE LIMIT [WHERE]
    local instructions
    instructions=$(count "$1" "$2" ${4:+"$4"}) || { echo "$instructions"; failed=1; return; }
    echo "$1 $2${4:+ ($4)}: $instructions instructions (limit $3)"
    if awk "BEGIN { exit !($instructions > $3 || $instructions < 1) }"; then
        echo "FAILED $1 $2: not within 1 to $3"
        failed=1
    fi
}
shown() { # CALL SIZE NAME
    local instructions
    instructions=$(count "$1" "$2") || { echo "$instructions"; failed=1; return; }
    echo "$3: $instructions instructions"
}

limited malloc 64 14
limited free 64 20
limited malloc 4096 14
limited free 4096 20
limited free_null 64 6
limited new 64 14
limited realloc 64 61
limited free 64 20 40    # so many GiB away from the first blocks
limited free 64 54 round # where two granules share a place; two of them ask whether the thread uses a shared arena
# Arenas: malloc's hit and what finds the magazines; a null handle is told apart by two.
limited arena_malloc 64 17
limited arena_free 64 26
limited shared_malloc 64 27
limited shared_free 64 36
limited free_of_shared 64 55 # malloc's free; 13 of them look for an open batch
# What the baseline has at hand is served without the gate. Each 1,024th of its frees empties its list into the spans: that is in the figure.
with HAKMEM_TINY_HEAP_V2=0 malloc 64 73
with HAKMEM_TINY_HEAP_V2=0 free 64 227
# Another thread's: each 57th ends a batch, which is sent. Hardened it is looked at and cleared, and one that was held back goes on.
limited free_of_others 64 61
with HAKMEM_HARDENED=1 free_of_others 64 399
[ $failed = 0 ] || exit 1

objdump -d --no-show-raw-insn -j .text "$lib" >"$tmp/text"
cat "$tmp"/{malloc,free}.{64,4096} >"$tmp/ran"
awk -v lib="$lib" '
    FNR == NR { if ($1 == lib) hot[substr($2, 3)] = 1; else strange = strange " " $1; next }
    /^ +[0-9a-f]+:\t/ {
        at = $1
        sub(/:$/, "", at)
        if (!(at in hot)) next
        found++
        delete hot[at]
        # An exchange with memory locks without the prefix.
        if (/\t *(.* )?lock( |$)/ || /\txchg.*\(/ || /\t(.* )?call/) wrong = wrong "\n  " $0
    }
    END {
        for (at in hot) missing = missing " " at
        if (strange) print "FAILED hot path: it leaves the library:" strange
        if (missing) print "FAILED hot path: not in the disassembly:" missing
        if (wrong) print "FAILED hot path: a lock or a call:" wrong
        if (strange missing wrong || !found) exit 1
        print found " instructions of malloc and free are hot: no lock prefix, no call"
    }' "$tmp/ran" "$tmp/text" || failed=1

echo "for information:"
shown calloc 64 "calloc 64"
shown delete 64 "sized delete 64"
exit $failed
