#!/usr/bin/env bash
# Installs what `make check` needs beside Rust, gcc and make, as far as it is missing: on Debian by apt-get, as root or with
# sudo; by rustup and cargo. Says nothing where nothing is missing. What it can't install it names, in one line, with the
# command that would; the steps that need it are then skipped. Status 1: without what is missing nothing can be built.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin

for tool in cargo gcc make; do
    command -v "$tool" >/dev/null || { echo "setup: there is no $tool (Rust: https://rustup.rs)"; exit 1; }
done
mkdir -p target
log=target/setup.log

wanted=(g++ git python3 binutils file valgrind)
wanted+=(pkg-config cmake groff-base dpkg-dev lintian abigail-tools) # what the tests of installing use
[ "$(uname -m)" != x86_64 ] || wanted+=(gcc-aarch64-linux-gnu g++-aarch64-linux-gnu qemu-user-static gawk) # arm64, cross-built and emulated
wanted+=(libmimalloc2.0 libjemalloc2 libtcmalloc-minimal4) # what the benchmarks compare with
wanted+=(strace chromium fonts-dejavu-core) # system calls of the benchmarks; their report in a browser
for program in tests/real/programs/*.sh; do
    wanted+=($(packages='' && . "$program" && echo "$packages"))
done
missing=()
if command -v dpkg-query >/dev/null; then
    # Its status tells of the missing ones only that there are some.
    installed=" $({ dpkg-query -W -f '${Package}=${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true; } | sed -n 's/=installed$//p' | tr '\n' ' ')"
    for package in $(printf '%s\n' "${wanted[@]}" | sort -u); do
        [[ $installed == *" $package "* ]] || missing+=("$package")
    done
fi

install_packages() { # with the command before apt-get: none, or sudo
    local known=() package
    echo "setup: installing ${#missing[@]} Debian packages; the log is $log"
    "$@" apt-get update -qq >"$log" 2>&1 </dev/null || echo "setup: apt-get update failed"
    for package in "${missing[@]}"; do
        if apt-cache show "$package" >/dev/null 2>&1; then known+=("$package"); else echo "setup: apt knows no $package"; fi
    done
    ((${#known[@]} == 0)) || "$@" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Options::=--force-confold "${known[@]}" >>"$log" 2>&1 </dev/null ||
        { tail -n 3 "$log"; echo "setup: apt-get install failed: ${known[*]}"; }
}
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    # Not Debian: what its packages hold may be there under other names.
    for tool in g++ git python3 valgrind pkg-config cmake strace; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    ((${#missing[@]} == 0)) || echo "setup: there is no apt-get here; to run every step install ${missing[*]}"
elif ((${#missing[@]})); then
    if [ "$(id -u)" = 0 ]; then
        install_packages
    elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        install_packages sudo
    else
        echo "setup: steps will be skipped; to run them all, as root: apt-get install --no-install-recommends ${missing[*]}"
    fi
fi

for component in rustfmt clippy; do
    cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 || rustup component add "$component" >>"$log" 2>&1 ||
        echo "setup: no $component: rustup component add $component"
done
