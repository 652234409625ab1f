#!/usr/bin/env bash
# Prints where build.rs wrote hakmem.h: the OUT_DIR of the release build, which cargo names only in its messages.
set -euo pipefail
cd "$(dirname "$0")/.."

# `check`, not `rustc`: it shares the build script and leaves target/release/libhakmem.so alone.
out=$(cargo check -q --release --lib --features header --target-dir target --message-format json-render-diagnostics |
    sed -n 's/.*"reason":"build-script-executed","package_id":"path+file.*"out_dir":"\([^"]*\)".*/\1/p')
[ -f "$out/hakmem.h" ] || { echo "header_path.sh: cargo names no OUT_DIR with a hakmem.h" >&2; exit 1; }
echo "$out/hakmem.h"
