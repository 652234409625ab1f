#!/usr/bin/env bash
# Clippy's warnings are errors; what .clippy.toml disallows (all that re-enters malloc) is allowed in tests only.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo clippy --version >/dev/null 2>&1 || { echo "clippy is not installed: rustup component add clippy"; exit 77; }
cargo clippy --lib --features allocator-api2 -- -D warnings
cargo clippy --locked --manifest-path cli/Cargo.toml -- -D warnings
# Without the exported functions, which tests leave out, much below them is unused.
cargo clippy --tests -- -D warnings -A dead_code -A unused_imports \
    -A clippy::disallowed_types -A clippy::disallowed_methods -A clippy::disallowed_macros
