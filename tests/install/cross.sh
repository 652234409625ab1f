#!/usr/bin/env bash
# What is built for arm64 on another machine: the package, and programs linked by pkg-config and by CMake from its tree. They run
# under an emulator. Built already: the library (TARGET=aarch64-unknown-linux-gnu make); the command is built here, without optimising.
# usage: tests/install/cross.sh; status 77: a tool is not there
set -euo pipefail
cd "$(dirname "$0")/../.."
(($# == 0)) || { sed -n 's/.*\(usage: [^;]*\);.*/\1/p' "$0" | head -n 1 >&2; exit 2; }
unset LD_PRELOAD LD_LIBRARY_PATH DESTDIR PREFIX "${!HAKMEM_@}"
export LC_ALL=C TARGET=aarch64-unknown-linux-gnu QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
. scripts/target.sh
for tool in "${tools}gcc" qemu-aarch64-static pkg-config cmake dpkg-gensymbols; do
    command -v "$tool" >/dev/null || { echo "there is no $tool"; exit 77; }
done
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
emulated() { qemu-aarch64-static -E LD_LIBRARY_PATH="/usr/aarch64-linux-gnu/lib${libdir:+:$libdir}" "$@"; }
says() { # WANTED COMMAND...
    local wanted=$1 got
    shift
    got=$("$@" 2>&1) || { echo "FAILED: status $? of $*: $got"; exit 1; }
    [[ $got == *"$wanted"* ]] || { echo "FAILED: $* says: $got"; echo "wanted: $wanted"; exit 1; }
    echo "ok ${*//$tmp/}"
}
libdir=

cargo build --quiet --locked --manifest-path cli/Cargo.toml --target "$TARGET"
"${tools}strip" "cli/target/$TARGET/debug/hakmem" -o "$tmp/hakmem"
says "hakmem $version" emulated "$tmp/hakmem" --version
COMMAND=$tmp/hakmem EMULATOR="qemu-aarch64-static -E LD_LIBRARY_PATH=/usr/aarch64-linux-gnu/lib" scripts/deb.sh
for package in libhakmem0 libhakmem-dev hakmem; do
    deb=$(readlink -e "target/debian/${package}_$version-1_arm64.deb")
    says arm64 dpkg-deb -f "$deb" Architecture
    dpkg-deb -x "$deb" "$tmp/root"
done
libdir=$tmp/root/usr/lib/$multiarch
gzip -t "$tmp"/root/usr/share/man/man{1/hakmem.1,3/hakmem.3,5/hakmem.conf.5}.gz
says "hakmem $version" emulated "$tmp/root/usr/bin/hakmem" --version

"${tools}gcc" examples/c/who.c -o "$tmp/who"
says "served by the system's malloc" emulated "$tmp/who"
says "served by hakmem $version" emulated -E LD_PRELOAD=libhakmem.so.0 "$tmp/who"

export PKG_CONFIG_LIBDIR=$libdir/pkgconfig PKG_CONFIG_SYSROOT_DIR=$tmp/root
# shellcheck disable=SC2046 # several words
"${tools}gcc" examples/c/who.c -o "$tmp/linked" $(pkg-config --cflags --libs hakmem)
says "served by hakmem $version" emulated "$tmp/linked"

mkdir "$tmp/project"
cp examples/c/who.c "$tmp/project/"
cat >"$tmp/project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.13)
project(who C)
find_package(hakmem REQUIRED)
foreach(form hakmem hakmem-static)
  add_executable(who-${form} who.c)
  target_link_libraries(who-${form} PRIVATE hakmem::${form})
endforeach()
END
cat >"$tmp/toolchain" <<END
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER ${tools}gcc)
set(CMAKE_LIBRARY_ARCHITECTURE $multiarch)
set(CMAKE_FIND_ROOT_PATH $tmp/root /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
END
{ cmake -S "$tmp/project" -B "$tmp/made" -DCMAKE_TOOLCHAIN_FILE="$tmp/toolchain" -DCMAKE_PREFIX_PATH=/usr && cmake --build "$tmp/made"; } >"$tmp/log" 2>&1 ||
    { tail -n 20 "$tmp/log"; exit 1; }
for form in hakmem hakmem-static; do says "served by hakmem $version" emulated "$tmp/made/who-$form"; done
