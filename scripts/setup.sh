#!/usr/bin/env bash
# Installs what `make check` needs on Debian 12, as far as it is missing: by apt-get as root, or with sudo, and by rustup.
# What can't be had is named; the checks that need it then say `skipped`, or fail where there is no substitute.
set -euo pipefail
cd "$(dirname "$0")/.."
export DEBIAN_FRONTEND=noninteractive

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

wanted=(gcc g++ make git python3 binutils file valgrind)
wanted+=(pkg-config cmake groff-base) # what the tests of installing use
wanted+=(libmimalloc2.0 libjemalloc2 libtcmalloc-minimal4) # what the benchmarks compare with
wanted+=(strace chromium fonts-dejavu-core) # system calls of the benchmarks; their report in a browser
for program in tests/real/programs/*.sh; do
    wanted+=($(packages='' && . "$program" && echo "$packages"))
done
missing=()
for package in $(printf '%s\n' "${wanted[@]}" | sort -u); do
    is_installed "$package" || missing+=("$package")
done

if ((${#missing[@]})) && ! command -v apt-get >/dev/null; then
    echo "setup: no apt-get here; these Debian packages, or what they hold, are wanted: ${missing[*]}"
elif ((${#missing[@]})); then
    root=()
    [ "$(id -u)" = 0 ] || root=(sudo)
    "${root[@]}" apt-get update -qq || echo "setup: apt-get update failed"
    known=()
    for package in "${missing[@]}"; do
        if apt-cache show "$package" >/dev/null 2>&1; then known+=("$package"); else echo "setup: apt knows no $package"; fi
    done
    ((${#known[@]} == 0)) || "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends -o Dpkg::Options::=--force-confold "${known[@]}" >/dev/null ||
        echo "setup: apt-get install failed: ${known[*]}"
fi

for tool in cargo gcc g++ make python3 objcopy readelf nm; do
    command -v "$tool" >/dev/null || { echo "setup: there is no $tool (Rust: https://rustup.rs)"; exit 1; }
done
for component in rustfmt clippy; do
    cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 || rustup component add "$component" ||
        echo "setup: no $component; its check will be skipped"
done
# Not optimised: it packs one small package.
command -v cargo-deb >/dev/null || cargo install --quiet --debug --locked cargo-deb ||
    echo "setup: no cargo-deb; the Debian package will not be checked"
echo "setup: ready"
