#!/usr/bin/env bash
# The release library with its symbols beside it, and the C header. Prints nothing of its own.
# TARGET=aarch64-unknown-linux-gnu: for another architecture, into target/$TARGET/release, by gcc's cross compiler.
#
# `cargo rustc` for one crate type: a plain `cargo build` makes the rlib too, for which cargo leaves LTO out.
set -euo pipefail
cd "$(dirname "$0")/.."
header=$(scripts/header_path.sh) # first, without the flags of target.sh: with other ones cargo would build cbindgen anew
. scripts/target.sh

cargo rustc --release --lib --target-dir target ${target:+--target "$target"} --crate-type staticlib

debug=libhakmem.so.debug
linked=$release/.libhakmem.so.linked
scripts/link.sh "${tools}gcc" "$release/libhakmem.a" "$linked"

# Into a new file and then moved: a process that has the old library mapped keeps it whole.
"${tools}objcopy" --only-keep-debug "$linked" "$release/$debug"
(cd "$release" && "${tools}objcopy" --strip-unneeded --add-gnu-debuglink="$debug" "${linked##*/}")
mv "$linked" "$release/libhakmem.so"
ln -sfn libhakmem.so "$release/libhakmem.so.0" # the SONAME: what programs linked with -lhakmem look for

# A wholly static program has its own loader, and no next one: there `dlopen` and `dlsym` are libc's. Into a new file: what cargo keeps
# has the same inode, and is linked from above the next time.
archive=$release/.libhakmem.a.static
"${tools}objcopy" --localize-symbol=dlopen --localize-symbol=dlmopen --localize-symbol=dlsym "$release/libhakmem.a" "$archive"
mv "$archive" "$release/libhakmem.a"

mkdir -p include
cmp -s "$header" include/hakmem.h || cp "$header" include/hakmem.h
