#!/usr/bin/env bash
# The release library with its symbols beside it, and the C header. Prints nothing of its own.
# TARGET=aarch64-unknown-linux-gnu: for another architecture, into target/$TARGET/release, by gcc's cross compiler.
#
# `cargo rustc` for one crate type at a time: a plain `cargo build` makes the rlib too, for which cargo leaves LTO out.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/target.sh

lib() { cargo rustc --release --lib --target-dir target ${target:+--target "$target"} --crate-type "$@"; }
lib cdylib
lib staticlib

# Into a new file and then moved: a process that has the old library mapped keeps it whole.
debug=libhakmem.so.debug
stripped=$release/.libhakmem.so.stripped
cp "$release/libhakmem.so" "$stripped"
if readelf -SW "$stripped" | grep ' \.debug_line ' >/dev/null; then # else stripped by an earlier run
    "${tools}objcopy" --only-keep-debug "$stripped" "$release/$debug"
    (cd "$release" && "${tools}objcopy" --strip-unneeded --add-gnu-debuglink="$debug" "${stripped##*/}")
fi
mv "$stripped" "$release/libhakmem.so"
ln -sfn libhakmem.so "$release/libhakmem.so.0" # the SONAME: what programs linked with -lhakmem look for

# A wholly static program has its own loader, and no next one: there `dlopen` and `dlsym` are libc's.
"${tools}objcopy" --localize-symbol=dlopen --localize-symbol=dlmopen --localize-symbol=dlsym "$release/libhakmem.a"

header=$(scripts/header_path.sh)
mkdir -p include
cmp -s "$header" include/hakmem.h || cp "$header" include/hakmem.h
