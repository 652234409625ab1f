#!/usr/bin/env bash
# The installed packages at work, as Debian's autopkgtest would run it: nothing of the tree but examples/c is used. What is not at its
# usual place is named by LD_LIBRARY_PATH, PKG_CONFIG_PATH and PKG_CONFIG_SYSROOT_DIR, and the command by HAKMEM_COMMAND.
# usage: smoke.sh EXAMPLES VERSION
set -euo pipefail
(($# == 2)) || { sed -n 's/.*\(usage: .*\)/\1/p' "$0" | head -n 1 >&2; exit 2; }
examples=$1 version=$2 command=${HAKMEM_COMMAND:-hakmem}
unset HAKMEM_COMMAND
export LC_ALL=C
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
says() { # WANTED COMMAND...
    local wanted=$1 got
    shift
    got=$("$@" 2>&1) || { echo "FAILED: status $? of $*: $got"; exit 1; }
    [[ $got == *"$wanted"* ]] || { echo "FAILED: $* says: $got"; echo "wanted: $wanted"; exit 1; }
    echo "ok $wanted: ${*//$tmp/}"
}
served="served by hakmem $version"
libdir=$(pkg-config --variable=libdir hakmem)
[[ $libdir == "${PKG_CONFIG_SYSROOT_DIR:-}"* ]] || libdir=$PKG_CONFIG_SYSROOT_DIR$libdir # pkgconf says it with that, pkg-config without
soname=libhakmem.so.${version%%.*}

gcc "$examples/who.c" -o "$tmp/who"
says "served by the system's malloc" "$tmp/who"
says "$served" env LD_PRELOAD="$soname" "$tmp/who" # by its name: ldconfig ran, or LD_LIBRARY_PATH is set
says "hakmem: statistics" env HAKMEM_STATS=1 LD_PRELOAD="$soname" perl -e 'print "x" x 1000'
says "$version" pkg-config --modversion hakmem
gcc "$examples/who.c" -o "$tmp/linked" $(pkg-config --cflags --libs hakmem)
says "[$soname]" readelf -dW "$tmp/linked"
says "$served" "$tmp/linked"
# Its malloc is any version's, its own functions are one's.
printf '#include <hakmem.h>\n#include <stdlib.h>\nint main(void) { void *p = malloc(8); int ours = hak_is_ours(p); free(p); return !ours; }\n' >"$tmp/asks.c"
gcc -fno-builtin "$tmp/asks.c" -o "$tmp/asks" $(pkg-config --cflags --libs hakmem)
says "HAKMEM_${version%%.*}" readelf -VW "$tmp/asks"
says "" "$tmp/asks"
gcc "$examples/who.c" -o "$tmp/archive" $(pkg-config --cflags hakmem) "$libdir/libhakmem.a" $(pkg-config --static --libs-only-other hakmem)
says "$served" env -u LD_LIBRARY_PATH "$tmp/archive"
gcc -static "$examples/who.c" -o "$tmp/static" $(pkg-config --static --cflags --libs hakmem) 2>"$tmp/log"
says "$served" "$tmp/static"
# A bad free ends it, and one line says why.
printf '#include <stdlib.h>\nint main(void) { void *p = malloc(8); free(p); free(p); }\n' >"$tmp/twice.c"
gcc -w -fno-builtin "$tmp/twice.c" -o "$tmp/twice"
says "hakmem: free: " sh -c '! HAKMEM_HARDENED=1 LD_PRELOAD="$1" "$2"' sh "$soname" "$tmp/twice"
says "hakmem $version" "$command" --version
says "$served" "$command" run -q -- "$tmp/who"
echo "ok: the packages work"
