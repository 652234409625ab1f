#!/usr/bin/env bash
# The loom models of the lock-free code: every interleaving within loom's bounds.
set -euo pipefail
cd "$(dirname "$0")/.."

[ -f tests/loom/Cargo.toml ] || { echo "no models: tests/loom/Cargo.toml is not there"; exit 77; }
cargo test --manifest-path tests/loom/Cargo.toml --target-dir target/loom
