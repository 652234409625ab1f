# shellcheck shell=bash
# Sourced, from the tree's top. What is built for: TARGET, a target of Rust's (default: this machine). Sets `target`, `release` (where cargo leaves it),
# `tools` (the prefix of gcc's and binutils' names) and `multiarch` (Debian's name), and tells cargo the linker and what directories to call by other names.
target=${TARGET:-}
release=target/${target:+$target/}release
tools=${target:+${target/-unknown-/-}-}
multiarch=$("${tools}gcc" -print-multiarch 2>/dev/null || true)
if [ -n "$target" ]; then
    variable=CARGO_TARGET_$(tr a-z- A-Z_ <<<"$target")_LINKER
    export "$variable=${!variable:-${tools}gcc}"
    unset variable
fi
# Nothing of this machine's directories is in what is built, so that it is the same bits wherever it is built (scripts/check_reproducible.sh).
export RUSTFLAGS="${RUSTFLAGS:+$RUSTFLAGS }--remap-path-prefix=$PWD=/hakmem --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
