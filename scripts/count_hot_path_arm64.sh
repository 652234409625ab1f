#!/usr/bin/env bash
# count_hot_path.sh for arm64: the instructions of hits, counted where an emulator steps through them, and looked up in the
# disassembly: no barrier, no exclusive or atomic access, no call. The limits are what Rust 1.85 makes.
# usage: scripts/count_hot_path_arm64.sh LIBRARY; status 77: no emulator or no cross compiler
set -euo pipefail
cd "$(dirname "$0")/.."
(($# == 1)) || { sed -n 's/.*\(usage: [^;]*\);.*/\1/p' "$0" | head -n 1 >&2; exit 2; }
lib=$(readlink -e "$1") || { echo "no such library: $1" >&2; exit 2; }
for tool in aarch64-linux-gnu-gcc qemu-aarch64-static; do
    command -v $tool >/dev/null || { echo "there is no $tool"; exit 77; }
done
unset LD_PRELOAD "${!HAKMEM_@}"
export LC_ALL=C QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
probe=$tmp/hot_path
aarch64-linux-gnu-gcc -std=gnu11 -O1 -Wall -Wextra -fno-builtin -no-pie tests/c/counts/hot_path.c -o "$probe" -ldl
# Where `measured` and the rest of the program lie, and the library's functions in its file.
place() { aarch64-linux-gnu-nm -S "$1" | awk -v name="$2" '$4 == name {print $1, $2}'; }
read -r start size < <(place "$probe" measured)
failed=0

limited() { # CALL SIZE LIMIT SYMBOL
    local calls result
    calls=$(qemu-aarch64-static -E LD_LIBRARY_PATH=/usr/aarch64-linux-gnu/lib -singlestep -d exec,nochain -D "$tmp/trace" -E LD_PRELOAD="$lib" "$probe" "$1" "$2") ||
        { echo "FAILED $1 $2: it does not run"; failed=1; return; }
    local entry
    entry=$(aarch64-linux-gnu-nm -D "$lib" | awk -v name="$4" '$3 == name {print $1}')
    # `Trace 0: 0x7f… […/address/…] symbol`. The first instruction outside of the program is the function's own.
    result=$(gawk -v start="$start" -v size="$size" -v entry="$entry" -v calls="$calls" -v out="$tmp/$1.$2" '
        BEGIN { start = strtonum("0x" start); end = start + strtonum("0x" size); entry = strtonum("0x" entry) }
        {
            split($4, part, "/")
            pc = strtonum("0x" part[2])
            if (pc < 0x1000000) { inside = pc >= start && pc < end; next } # the program itself is linked low
            if (!inside) next
            if (!base) base = pc - entry
            count++
            ran[pc - base]++
        }
        END {
            for (at in ran) printf "%x\n", at >out
            printf(count % calls ? "%.2f" : "%d", count / calls)
        }' "$tmp/trace")
    echo "$1 $2: $result instructions (limit $3)"
    awk "BEGIN { exit !($result > $3 || $result < 1) }" && { echo "FAILED $1 $2: not within 1 to $3"; failed=1; } || true
}

limited malloc 64 21 malloc
limited malloc 4096 21 malloc
limited free 64 24 free
limited free 4096 24 free
limited free_null 64 4 free
limited new 64 21 _Znwm
[ $failed = 0 ] || exit 1

aarch64-linux-gnu-objdump -d --no-show-raw-insn -j .text "$lib" >"$tmp/text"
cat "$tmp"/{malloc,free}.{64,4096} "$tmp/new.64" | sort -u >"$tmp/ran"
awk '
    FNR == NR { hot[$1] = 1; next }
    /^ +[0-9a-f]+:\t/ {
        at = $1
        sub(/:$/, "", at)
        if (!(at in hot)) next
        found++
        delete hot[at]
        # Barriers, loads and stores that order or are exclusive, LSE; calls.
        if ($2 ~ /^(dmb|dsb|isb|ldar|ldapr|stlr|ldx|stx|ldax|stlx|cas|swp|ldadd|ldclr|ldset|ldeor|stadd|bl|blr|svc)/) wrong = wrong "\n  " $0
    }
    END {
        for (at in hot) missing = missing " " at
        if (missing) print "FAILED hot path: not in the disassembly:" missing
        if (wrong) print "FAILED hot path: a barrier, an atomic access or a call:" wrong
        if (missing wrong || !found) exit 1
        print found " instructions of malloc, free and new are hot: no barrier, no atomic access, no call"
    }' "$tmp/ran" "$tmp/text" || failed=1
exit $failed
