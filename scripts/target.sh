# shellcheck shell=bash
# Sourced. What is built for: TARGET, a target of Rust's (default: this machine). Sets `target`, `release` (where cargo leaves it),
# `tools` (the prefix of gcc's and binutils' names) and `multiarch` (Debian's name), and tells cargo the linker.
target=${TARGET:-}
release=target/${target:+$target/}release
tools=${target:+${target/-unknown-/-}-}
multiarch=$("${tools}gcc" -print-multiarch 2>/dev/null || true)
if [ -n "$target" ]; then
    variable=CARGO_TARGET_$(tr a-z- A-Z_ <<<"$target")_LINKER
    export "$variable=${!variable:-${tools}gcc}"
    unset variable
fi
