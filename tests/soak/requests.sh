#!/usr/bin/env bash
# requests.c in all modes, each for its part of the time: a minute, or as long as is said. usage: tests/soak/requests.sh [SECONDS]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
seconds=${1:-60} lib=$here/../../target/release
[[ $# -le 1 && $seconds =~ ^[1-9][0-9]*$ ]] || { sed -n 's/.*\(usage: .*\)/\1/p' "${BASH_SOURCE[0]}" | head -n 1 >&2; exit 2; }
[ -f "$lib/libhakmem.so" ] || { echo "no library: run make first"; exit 1; }
unset LD_PRELOAD "${!HAKMEM_@}"
ulimit -c 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$lib/libhakmem.so" "$work/libhakmem.so.0" # a build meanwhile does not change what is tested
"${CC:-gcc}" -O2 -g -Wall -Wextra -pthread -I"$here/../../include" "$here/requests.c" "$work/libhakmem.so.0" -Wl,-rpath,"$work" -o "$work/requests"
modes=(A=1 HAKMEM_HARDENED=1 HAKMEM_TINY_HEAP_V2=0 HAKMEM_DECAY_MS=0 HAKMEM_HARDENED=light HAKMEM_GUARD_RATE=10 HAKMEM_BACKGROUND=1)
seed=$(date +%s) failed=0
each=$(((seconds + ${#modes[@]} - 1) / ${#modes[@]}))
for mode in "${modes[@]}"; do
    status=0
    said=$(env "$mode" timeout -k 5 $((each + 60)) "$work/requests" $each "$seed" 2>&1) || status=$?
    if [ $status = 0 ]; then echo "ok ${mode/A=1/default}: $said"; else echo "FAILED $mode, seed $seed: status $status: $said" && failed=$((failed + 1)); fi
done
echo "$((${#modes[@]} - failed)) passed, $failed failed"
exit $((failed > 0))
