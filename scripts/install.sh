#!/usr/bin/env bash
# Puts what `make` built under PREFIX, or takes it away again. Builds first only if that is not there: nothing is built, or
# a plain `cargo build` has put libraries without LTO, unstripped, in its place.
#
# The environment: PREFIX (/usr/local), DESTDIR (empty: a directory to stage in), BINDIR, LIBDIR, INCLUDEDIR, DATADIR,
# MANDIR, DOCDIR (below PREFIX), COMMAND (cli/target/release/hakmem, which `make cli` builds). Needs no root where it may
# write. TARGET=aarch64-unknown-linux-gnu: what `make TARGET=…` built; the man pages are written by this machine's
# build, which is made if it is not there, and by the command under EMULATOR (qemu-aarch64-static). usage: scripts/install.sh [--uninstall]
set -euo pipefail
cd "$(dirname "$0")/.."
undo=
case "$#:${1-}" in
0:) ;;
1:--uninstall) undo=1 ;;
*) sed -n 's/.*\(usage: .*\)/\1/p' "$0" | head -n 1 >&2; exit 2 ;;
esac

prefix=${PREFIX:-/usr/local} destdir=${DESTDIR:-}
bindir=${BINDIR:-$prefix/bin} libdir=${LIBDIR:-$prefix/lib} includedir=${INCLUDEDIR:-$prefix/include}
datadir=${DATADIR:-$prefix/share}
mandir=${MANDIR:-$datadir/man} docdir=${DOCDIR:-$datadir/doc/hakmem}
for directory in "$bindir" "$libdir" "$includedir" "$datadir" "$mandir" "$docdir"; do
    [[ $directory == /* ]] || { echo "install.sh: $directory is not an absolute path" >&2; exit 2; }
done

. scripts/target.sh
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
command=${COMMAND:-cli/$release/hakmem}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# scripts/build.sh links the library to its symbols; what `cargo build` links has them inside.
made_by_make() {
    [ -f $release/libhakmem.a ] && readelf -SW $release/libhakmem.so 2>/dev/null | grep ' \.gnu_debuglink ' >/dev/null
}

if [ -z "$undo" ]; then
    if ! made_by_make; then
        # Under sudo it may not: there a build would also leave root's files in the tree.
        command -v cargo >/dev/null || { echo "install.sh: run make first: $release/ does not hold what it builds" >&2; exit 1; }
        scripts/build.sh
    fi
    [ -z "$target" ] || [ -f target/release/libhakmem.so ] || TARGET='' scripts/build.sh
    scripts/man.sh "$tmp"
    # Of the static library's debug information all but the line tables of std is in libhakmem.so.debug too. A member that
    # has nothing else goes, for objcopy refuses it. What is on stdout says LLVM's plugin, where clang is, of bitcode that it is too old for.
    cp $release/libhakmem.a "$tmp/libhakmem.a"
    ar t "$tmp/libhakmem.a" | { grep '\.dwo$' || true; } | xargs -r ar d "$tmp/libhakmem.a" >/dev/null
    "${tools}objcopy" --strip-debug "$tmp/libhakmem.a" >/dev/null
    if [ -x "$command" ]; then
        # shellcheck disable=SC2086 # several words, or none
        ${EMULATOR:-} "$command" man "$tmp"
        for shell in bash zsh fish; do ${EMULATOR:-} "$command" completions $shell >"$tmp/$shell"; done
    else
        echo "install.sh: the hakmem command is not built (make cli) and is left out" >&2
    fi
fi

# Each of these installs, or with --uninstall removes.
put() { # MODE FILE TARGET
    if [ -n "$undo" ]; then rm -f "$destdir$3"; else install -D -m "$1" "$2" "$destdir$3"; fi
}
link() { # TEXT TARGET
    if [ -n "$undo" ]; then rm -f "$destdir$2"; else ln -sfn "$1" "$destdir$2"; fi
}
fill_in() { # TEMPLATE TARGET
    sed -e "s|@version@|$version|g" -e "s|@soversion@|${version%%.*}|g" -e "s|@prefix@|$prefix|g" -e "s|@libdir@|$libdir|g" -e "s|@includedir@|$includedir|g" \
        -e "s|@include_from_cmake@|$(realpath -ms --relative-to="$libdir/cmake/hakmem" "$includedir")|g" "$1" >"$tmp/filled"
    put 644 "$tmp/filled" "$2"
}
own_directory() { # TARGET: nobody else's, so it goes with its contents
    [ -z "$undo" ] || rmdir "$destdir$1" 2>/dev/null || true
}

soname=libhakmem.so.${version%%.*}
put 755 $release/libhakmem.so "$libdir/libhakmem.so.$version"
link "libhakmem.so.$version" "$libdir/$soname"
link "$soname" "$libdir/libhakmem.so"
put 644 "$tmp/libhakmem.a" "$libdir/libhakmem.a"
put 644 include/hakmem.h "$includedir/hakmem.h"
put 644 include/hakmem.hpp "$includedir/hakmem.hpp"
fill_in scripts/install/hakmem.pc.in "$libdir/pkgconfig/hakmem.pc"
fill_in scripts/install/hakmem-config.cmake.in "$libdir/cmake/hakmem/hakmem-config.cmake"
fill_in scripts/install/hakmem-config-version.cmake.in "$libdir/cmake/hakmem/hakmem-config-version.cmake"
own_directory "$libdir/cmake/hakmem"
put 644 "$tmp/hakmem.3" "$mandir/man3/hakmem.3"
put 644 "$tmp/hakmem.conf.5" "$mandir/man5/hakmem.conf.5"
if [ -n "$undo" ] || [ -x "$command" ]; then
    put 755 "$command" "$bindir/hakmem"
    put 644 "$tmp/bash" "$datadir/bash-completion/completions/hakmem"
    put 644 "$tmp/zsh" "$datadir/zsh/site-functions/_hakmem"
    put 644 "$tmp/fish" "$datadir/fish/vendor_completions.d/hakmem.fish"
    # The subcommands have pages of their own: those just made, or those that are there.
    pages=$([ -n "$undo" ] && echo "$destdir$mandir/man1" || echo "$tmp")
    for page in "$pages"/hakmem.1 "$pages"/hakmem-*.1; do
        [ ! -f "$page" ] || put 644 "$page" "$mandir/man1/${page##*/}"
    done
fi
for document in *.md LICENSE docs/*.md docs/plots/*.svg docs/pictures/*.png; do
    put 644 "$document" "$docdir/$document" # as in the tree, for the links between them
done
for directory in docs/plots docs/pictures docs; do own_directory "$docdir/$directory"; done
own_directory "$docdir"

# The loader's cache knows the new name, or forgets the old one.
if [ -z "$destdir" ] && [ "$(id -u)" = 0 ] && command -v ldconfig >/dev/null; then
    ldconfig
fi
