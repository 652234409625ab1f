#!/usr/bin/env bash
# `make install` into a scratch directory, then programs built against what is there, as a user would: C by pkg-config, C++
# by CMake, Rust; each says who serves it. Then `make uninstall` leaves nothing. usage: tests/install/run.sh
set -euo pipefail
repo=$(cd "$(dirname "$0")/../.." && pwd)
(($# == 0)) || { sed -n 's/.*\(usage: .*\)/\1/p' "$0" | head -n 1 >&2; exit 2; }
cd "$repo"
[ -f target/release/libhakmem.so ] || { echo "no library: run make first"; exit 1; }
unset LD_PRELOAD LD_LIBRARY_PATH DESTDIR PREFIX BINDIR LIBDIR INCLUDEDIR DATADIR MANDIR DOCDIR "${!HAKMEM_@}"
export LC_ALL=C
# What an upper make passes on would reach the ones below.
unset MAKEFLAGS MFLAGS MAKELEVEL
# The command that the tests of cli/ left, where the one to be installed was not built.
[ -x cli/target/release/hakmem ] || export COMMAND=cli/target/debug/hakmem
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
served="served by hakmem $version"
passed=0 failed=0

test_that() { # NAME COMMAND...: what it prints is shown if it fails
    local name=$1 status=0
    shift
    set +e # not `|| status=$?`: bash ignores errexit in what stands before it
    (set -e; "$@") >"$tmp/log" 2>&1 </dev/null
    status=$?
    set -e
    case $status in
    0) passed=$((passed + 1)) && echo "ok $name" ;;
    77) echo "skipped $name: $(tail -n 1 "$tmp/log")" ;;
    *) failed=$((failed + 1)) && echo "FAILED $name: status $status" && tail -n 20 "$tmp/log" | sed 's/^/    /' ;;
    esac
}
not() { ! "$@"; } # a bare `!` is no failure to errexit
needs() { command -v "$1" >/dev/null || { echo "there is no $1"; exit 77; }; }
says() { # WANTED COMMAND...: the output begins with WANTED
    local wanted=$1 got
    shift
    got=$("$@") || { echo "status $? of $*: $got"; return 1; }
    [[ $got == "$wanted"* ]] || { echo "$* says: $got"; echo "wanted: $wanted"; return 1; }
}
needs_a_library() { readelf -dW "$1" | grep -q 'NEEDED'; }
needs_library() { readelf -dW "$1" | grep -q 'NEEDED.*\[libhakmem\.so\.0\]'; }
files() { (cd "$1" && find . ! -type d | LC_ALL=C sort); }

staged=$tmp/staged local=$tmp/local multiarch=lib/$(gcc -print-multiarch)
at=$staged/usr/local

stages() {
    make install DESTDIR="$staged"
    [ "$(stat -c %a "$at/lib/libhakmem.so.$version")" = 755 ]
    for file in lib/libhakmem.a lib/pkgconfig/hakmem.pc include/hakmem.h include/hakmem.hpp share/man/man3/hakmem.3 share/man/man5/hakmem.conf.5; do
        [ "$(stat -c %a "$at/$file")" = 644 ]
    done
    not grep -rn '@[a-z_]*@' "$at/lib/pkgconfig" "$at/lib/cmake" "$at/share/man"
    not grep -rn "$staged" "$at/lib/pkgconfig" "$at/lib/cmake" # DESTDIR is no part of the names inside
}
names_versions() {
    [ "$(readlink "$at/lib/libhakmem.so")" = libhakmem.so.0 ]
    [ "$(readlink "$at/lib/libhakmem.so.0")" = "libhakmem.so.$version" ]
    readelf -dW "$at/lib/libhakmem.so" | grep -q 'SONAME.*\[libhakmem\.so\.0\]'
    cmp "$at/lib/libhakmem.so" target/release/libhakmem.so
}
installs_elsewhere() { # no DESTDIR, a prefix of one's own, Debian's library directory; as somebody else than root if we are root
    local somebody=()
    install -d -m 777 "$local"
    chmod 755 "$tmp"
    [ "$(id -u)" != 0 ] || ! command -v setpriv >/dev/null || ! setpriv --reuid=65534 --clear-groups test -r Makefile ||
        somebody=(setpriv --reuid=65534 --clear-groups)
    "${somebody[@]}" make install PREFIX="$local" LIBDIR="$local/$multiarch"
    [ -f "$local/$multiarch/libhakmem.so.$version" ]
    [ ! -e "$local/lib/libhakmem.so" ]
}
rejects_a_relative_prefix() {
    local status=0
    PREFIX=somewhere scripts/install.sh || status=$?
    [ $status = 2 ]
    [ ! -e somewhere ]
    status=0
    scripts/install.sh --unistall || status=$?
    [ $status = 2 ]
}

compiles_c_shared() {
    needs pkg-config
    export PKG_CONFIG_PATH=$local/$multiarch/pkgconfig
    [ "$(pkg-config --modversion hakmem)" = "$version" ]
    gcc -Wall -Werror examples/c/who.c -o "$tmp/who" $(pkg-config --cflags --libs hakmem)
    needs_library "$tmp/who"
    says "$served" env LD_LIBRARY_PATH="$local/$multiarch" "$tmp/who"
    # The same where only what is asked for is linked, Ubuntu's default.
    gcc -Wl,--as-needed examples/c/who.c -o "$tmp/who_needed" $(pkg-config --cflags --libs hakmem)
    needs_library "$tmp/who_needed"
}
compiles_c_staged() {
    needs pkg-config
    export PKG_CONFIG_PATH=$at/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$staged
    gcc examples/c/who.c -o "$tmp/who_staged" $(pkg-config --cflags --libs hakmem)
    says "$served" env LD_LIBRARY_PATH="$at/lib" "$tmp/who_staged"
}
compiles_c_static() { # the archive by its name; all of the program static
    needs pkg-config
    export PKG_CONFIG_PATH=$local/$multiarch/pkgconfig
    gcc examples/c/who.c -o "$tmp/who_archive" $(pkg-config --cflags hakmem) \
        "$(pkg-config --variable=libdir hakmem)/libhakmem.a" $(pkg-config --static --libs-only-other hakmem)
    not needs_library "$tmp/who_archive"
    says "$served" "$tmp/who_archive"
    gcc -static examples/c/who.c -o "$tmp/who_static" $(pkg-config --static --cflags --libs hakmem) 2>"$tmp/warnings"
    not needs_a_library "$tmp/who_static"
    says "$served" "$tmp/who_static"
}
compiles_by_cmake() {
    needs cmake
    needs g++
    local build
    build=$(mktemp -d "$tmp/cmake.XXXXXX")
    cmake -S examples/cmake -B "$build" -DCMAKE_PREFIX_PATH="$1" -DCMAKE_BUILD_TYPE=Release
    cmake --build "$build"
    grep "^hakmem_DIR:PATH=$1/" "$build/CMakeCache.txt"
    needs_library "$build/who_shared"
    not needs_library "$build/who_static"
    says "$served, last string of 999 bytes" "$build/who_shared" # found by the rpath that CMake sets
    says "$served, last string of 999 bytes" "$build/who_static"
}
serves_what_asks_for_nothing() { # a C++ program whose own code allocates nothing, linked with the archive
    needs cmake
    needs g++
    mkdir -p "$tmp/quiet"
    cat >"$tmp/quiet/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.13)
project(quiet CXX)
find_package(hakmem REQUIRED)
add_executable(quiet quiet.cpp)
target_link_libraries(quiet PRIVATE hakmem::hakmem-static)
END
    echo 'int main() { return 0; }' >"$tmp/quiet/quiet.cpp"
    cmake -S "$tmp/quiet" -B "$tmp/quiet/build" -DCMAKE_PREFIX_PATH="$local"
    cmake --build "$tmp/quiet/build"
    HAKMEM_STATS=1 "$tmp/quiet/build/quiet" 2>&1 | grep '^hakmem: statistics'
}
asks_for_versions() {
    needs cmake
    needs g++
    mkdir -p "$tmp/asks"
    local major minor patch
    IFS=. read -r major minor patch <<<"$version"
    cat >"$tmp/asks/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.13)
project(asks CXX)
foreach(asked $major.$minor $version $major)
  find_package(hakmem \${asked} QUIET)
  if(NOT hakmem_FOUND)
    message(FATAL_ERROR "\${asked} is refused")
  endif()
endforeach()
foreach(asked $major.$((minor - 1)) $major.$((minor + 1)) $major.$minor.999 $((major + 1)) $((major + 1)).0)
  find_package(hakmem \${asked} QUIET)
  if(hakmem_FOUND)
    message(FATAL_ERROR "\${asked} is accepted")
  endif()
endforeach()
END
    cmake -S "$tmp/asks" -B "$tmp/asks/build" -DCMAKE_PREFIX_PATH="$local"
}
preloads() {
    gcc examples/c/who.c -o "$tmp/plain"
    says "served by the system's malloc" "$tmp/plain"
    says "$served" env LD_PRELOAD="$at/lib/libhakmem.so.0" "$tmp/plain"
    says "$served" env LD_LIBRARY_PATH="$at/lib" LD_PRELOAD=libhakmem.so.0 "$tmp/plain"
}
serves_rust() { # tests/rust/ has the rest
    # A target directory apart: this build would put a library without LTO into target/.
    cargo build -q --target-dir target/examples --example whole_process
    says "$served" target/examples/debug/examples/whole_process
    nm -D --defined-only target/examples/debug/examples/whole_process | grep -q ' malloc$'
}
runs_the_command() {
    [ -x "$at/bin/hakmem" ] || { echo "the hakmem command is not built"; exit 77; }
    says "$served" "$at/bin/hakmem" run -- "$tmp/plain" # which finds the library beside it
    says "$served" "$local/bin/hakmem" run -q -- "$tmp/plain"
    says "hakmem $version" "$at/bin/hakmem" --version
    [ -f "$at/share/man/man1/hakmem.1" ]
    bash -n "$at/share/bash-completion/completions/hakmem"
}
documents() { # every function of the header and every option of the table; nothing the formatter objects to; no link to a document that is not there
    local page link missing format=(groff -K utf8 -T utf8 -man -ww -z)
    for page in "$at"/share/man/man*/*; do
        ! command -v groff >/dev/null || [ -z "$("${format[@]}" "$page" 2>&1)" ] || { "${format[@]}" "$page"; return 1; }
    done
    missing=$(sed -n 's/.*[ *]\(hak_[a-z_]*\)(.*;$/\1/p' include/hakmem.h | while read -r name; do
        grep -q "^\.SS $name()" "$at/share/man/man3/hakmem.3" || echo "$name"
    done
    sed -n '/) test;$/d; s/.*"\(HAKMEM_[A-Z0-9_]*\)" = .*/\1/p' src/config/knobs.rs | while read -r name; do
        grep -q "^\.BR $name " "$at/share/man/man5/hakmem.conf.5" || echo "$name"
    done)
    [ -z "$missing" ] || { echo "not in the man pages: $missing"; return 1; }
    find "$at/share/doc/hakmem" -name '*.md' | while read -r page; do
        { grep -oE '\]\([^)#: ]+\.(md|svg|png)' "$page" || true; } | cut -c3- | while read -r link; do # what is in the source stays there
            [ -e "${page%/*}/$link" ] || { echo "${page#"$at"/} names $link, which is not installed"; exit 1; }
        done
    done
}
uninstalls() {
    touch "$at/lib/somebody_elses.so"
    make uninstall DESTDIR="$staged"
    make uninstall PREFIX="$local" LIBDIR="$local/$multiarch"
    [ "$(files "$staged")" = ./usr/local/lib/somebody_elses.so ] || { files "$staged"; return 1; }
    [ -z "$(files "$local")" ] || { files "$local"; return 1; }
    [ -z "$(find "$staged" "$local" -name '*hakmem*')" ] # nor a directory of that name
    make uninstall DESTDIR="$staged" # again, with nothing there
}

test_that "make install, staged" stages
test_that "versioned names" names_versions
test_that "make install, own prefix and library directory, without root" installs_elsewhere
test_that "wrong arguments" rejects_a_relative_prefix
test_that "man pages" documents
test_that "LD_PRELOAD" preloads
test_that "C by pkg-config, shared" compiles_c_shared
test_that "C by pkg-config, staged" compiles_c_staged
test_that "C by pkg-config, static" compiles_c_static
test_that "C++ by CMake" compiles_by_cmake "$local"
test_that "C++ by CMake, staged" compiles_by_cmake "$at"
test_that "C++ by CMake, a program that asks for nothing" serves_what_asks_for_nothing
test_that "versions by CMake" asks_for_versions
test_that "Rust, the whole process" serves_rust
test_that "hakmem run" runs_the_command
test_that "make uninstall" uninstalls

echo "$passed passed, $failed failed"
exit $((failed > 0))
