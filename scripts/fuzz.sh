#!/usr/bin/env bash
# libFuzzer over one of fuzz/fuzz_targets, with the stable toolchain: the coverage passes are LLVM's, and need no cargo-fuzz.
# New inputs are kept in target/fuzz/TARGET; a crash is left there too, and belongs into fuzz/seeds/TARGET once it is fixed.
# usage: scripts/fuzz.sh ops|threads|traces [SECONDS]      (default: 60)      scripts/fuzz.sh --seeds: only replays what is kept
set -euo pipefail
cd "$(dirname "$0")/.."
usage() { sed -n 's/^# usage/usage/p' "$0" >&2; exit 2; }
target=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
case ${1-} in
--seeds)
    [ $# = 1 ] || usage
    exec cargo test --quiet --release --manifest-path fuzz/Cargo.toml --target-dir "$target/replay"
    ;;
ops | threads | traces) [ $# -le 2 ] && [[ ${2-60} =~ ^[0-9]+$ ]] || usage ;;
*) usage ;;
esac

# As cargo-fuzz sets them, without a sanitizer: the allocator under test is the process's own.
host=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
 -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1" \
    cargo build --quiet --release --manifest-path fuzz/Cargo.toml --target "$host" --target-dir "$target" --bin "$1"
mkdir -p "$target/$1"
cp -n fuzz/seeds/"$1"/* "$target/$1/" 2>/dev/null || true
exec "$target/$host/release/$1" "$target/$1" -max_total_time="${2-60}" -max_len=3000 -len_control=0 -timeout=60 -rss_limit_mb=2048 \
    -detect_leaks=0 -artifact_prefix="$target/$1/" -print_final_stats=1
