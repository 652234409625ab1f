#!/usr/bin/env bash
# A Rust program with tokio, rayon, serde_json and regex whose global allocator is HAKMEM, with and without feature
# `override`, and its containers HakMem's and arenas': it does its work, its memory is HAKMEM's, and it exports malloc or no symbol at all. usage: tests/rust/run.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
(($# == 0)) || { sed -n 's/.*\(usage: .*\)/\1/p' "$0" | head -n 1 >&2; exit 2; }
unset LD_PRELOAD "${!HAKMEM_@}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0
expect() { # WHAT COMMAND...
    local what=$1
    shift
    if "$@"; then passed=$((passed + 1)) && echo "ok $what"; else failed=$((failed + 1)) && echo "FAILED $what"; fi
}
none() { [ -z "$1" ] || { echo "$1" | head -n 10 | sed 's/^/    /'; return 1; }; }

for features in '' override; do
    name=${features:-no default features}
    cargo build -q --locked --manifest-path tests/rust/Cargo.toml --target-dir target/rust-test --features "$features"
    cp target/rust-test/debug/hakmem-rust-test "$tmp/program"

    status=0
    HAKMEM_STATS=json:$tmp/stats timeout 120 "$tmp/program" >"$tmp/out" 2>"$tmp/err" || status=$?
    expect "$name: the work is done and C's malloc is whose it should be" test $status = 0
    [ $status = 0 ] || cat "$tmp/out" "$tmp/err"
    live=$(sed -n 's/.*"live_bytes": *\([0-9]*\).*/\1/p' "$tmp/stats" | head -n 1)
    expect "$name: HAKMEM holds the 10 MB that Rust holds ($live)" test "${live:-0}" -ge 10000000
    HAKMEM_TINY_HEAP_V2=0 timeout 120 "$tmp/program" >/dev/null 2>"$tmp/err" && status=0 || status=$?
    expect "$name: on the baseline" test $status = 0
    for mode in HARDENED=1 GUARD_RATE=3; do
        env HAKMEM_$mode timeout 120 "$tmp/program" allocators >"$tmp/out" 2>&1 && status=0 || status=$?
        [ $status = 0 ] || cat "$tmp/out"
        expect "$name: allocators and arenas with $mode" test $status = 0
    done

    ours=$(nm --defined-only "$tmp/program" | awk '$2 ~ /[TDBRVW]/ {print $3}' |
        grep -xE 'malloc|free|calloc|realloc|posix_memalign|aligned_alloc|malloc_.*|mallinfo.*|free_.*|_Zn[wa]m.*|_Zd[la]Pv.*|hak_.*' || true)
    if [ -z "$features" ]; then
        expect "$name: no symbol of malloc's, C++'s or HAKMEM's" none "$ours"
        expect "$name: nothing exported by name" none "$(nm -D --defined-only "$tmp/program" | grep -i hak || true)"
    else
        for symbol in malloc free calloc realloc posix_memalign; do
            expect "$name: exports $symbol" test -n "$(nm -D --defined-only "$tmp/program" | grep " $symbol\$")"
        done
    fi
done
echo "$passed passed, $failed failed"
exit $((failed > 0))
