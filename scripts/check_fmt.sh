#!/usr/bin/env bash
# rustfmt has nothing to change (rustfmt.toml), and every script parses.
set -euo pipefail
cd "$(dirname "$0")/.."

for script in .ci/run scripts/*.sh tests/*/run.sh; do bash -n "$script"; done
cargo fmt --version >/dev/null 2>&1 || { echo "rustfmt is not installed: rustup component add rustfmt"; exit 77; }
cargo fmt --check -- --color never
cargo fmt --manifest-path cli/Cargo.toml --check -- --color never
rustfmt --check --edition 2024 --config-path . --color never tests/rust/src/main.rs
