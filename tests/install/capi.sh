#!/usr/bin/env bash
# cargo-c builds the C library from the crate: SONAME, header and pkg-config's file are there, a program is linked and served, and one that was linked
# with what `make` builds runs with it. usage: tests/install/capi.sh; status 77: there is no cargo-c
set -euo pipefail
cd "$(dirname "$0")/../.."
(($# == 0)) || { sed -n 's/.*\(usage: [^;]*\);.*/\1/p' "$0" | head -n 1 >&2; exit 2; }
command -v cargo-cinstall >/dev/null || { echo "there is no cargo-c: cargo install cargo-c"; exit 77; }
unset LD_PRELOAD LD_LIBRARY_PATH "${!HAKMEM_@}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
cargo cinstall --release --locked --destdir "$tmp/root" --prefix /usr --libdir /usr/lib --target-dir target/capi
export PKG_CONFIG_PATH=$tmp/root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$tmp/root
readelf -dW "$tmp/root/usr/lib/libhakmem.so.$version" | grep 'SONAME.*\[libhakmem\.so\.0\]'
cmp include/hakmem.h "$tmp/root/usr/include/hakmem.h"
[ "$(pkg-config --modversion hakmem)" = "$version" ]
gcc examples/c/who.c -o "$tmp/who" $(pkg-config --cflags --libs hakmem)
LD_LIBRARY_PATH=$tmp/root/usr/lib "$tmp/who" | grep "^served by hakmem $version"
gcc examples/c/who.c -Iinclude -Ltarget/release -lhakmem -o "$tmp/versioned"
LD_LIBRARY_PATH=$tmp/root/usr/lib "$tmp/versioned" 2>"$tmp/said" | grep "^served by hakmem $version"
echo "cargo-c ok"
