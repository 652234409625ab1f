#!/usr/bin/env bash
# The hakmem command's tests (cli/tests), on the library of target/release; its page is opened in headless Chromium.
set -euo pipefail
cd "$(dirname "$0")/.."

[ -e target/release/libhakmem.so ] || { echo "there is no target/release/libhakmem.so: make build"; exit 1; }
exec cargo test --locked --manifest-path cli/Cargo.toml
