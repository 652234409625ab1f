#!/usr/bin/env bash
# `make deb`'s package in a clean root: it installs, serves programs, and is removed without a trace.
#
# The root is a fresh Debian 12 by debootstrap (root, network, a minute); with --here, which CI runs, a root that holds only
# the package and dpkg's records, whose programs are this machine's.
# usage: tests/install/deb.sh [--here]
set -euo pipefail
cd "$(dirname "$0")/../.."
here=
case $#:${1-} in 0:) ;; 1:--here) here=1 ;; *) sed -n 's/.*\(usage: .*\)/\1/p' "$0" | head -n 1 >&2; exit 2 ;; esac
unset LD_PRELOAD LD_LIBRARY_PATH DESTDIR PREFIX "${!HAKMEM_@}"
export LC_ALL=C
[ "$(id -u)" = 0 ] || { echo "needs root: dpkg installs"; exit 77; }
[ -n "$here" ] || command -v debootstrap >/dev/null || { echo "there is no debootstrap"; exit 77; }
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
served="served by hakmem $version"
lib=/usr/lib/$(gcc -print-multiarch)

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
root=$tmp/root
if [ ! -x cli/target/release/hakmem ]; then # what the tests of cli/ left
    strip cli/target/debug/hakmem -o "$tmp/hakmem"
    export COMMAND=$tmp/hakmem
fi
scripts/deb.sh
deb=$(readlink -e target/debian/hakmem_*_"$(dpkg --print-architecture)".deb)
says() { # WANTED COMMAND...
    local wanted=$1 got
    shift
    got=$("$@" 2>&1) || { echo "FAILED: status $? of $*: $got"; exit 1; }
    [[ $got == *"$wanted"* ]] || { echo "FAILED: $* says: $got"; echo "wanted: $wanted"; exit 1; }
    echo "ok ${*//$tmp/}"
}
ours() { find "$root"/usr "$root"/etc -name '*hakmem*' 2>/dev/null; }

if [ -n "$here" ]; then
    mkdir -p "$root"/var/lib/dpkg/{info,updates,triggers} "$root/usr" "$root/etc"
    touch "$root"/var/lib/dpkg/{status,available}
    # Nothing that it depends on is in there: what it finds at run time is this machine's.
    dpkg_in() { dpkg --root="$root" --force-depends --force-not-root "$@"; }
    in_root() { env LD_LIBRARY_PATH="$root$lib" "$@"; }
    gcc examples/c/who.c -o "$tmp/who"
    who=$tmp/who
    command=$root/usr/bin/hakmem
else
    debootstrap --variant=minbase bookworm "$root" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$tmp/log" 2>&1 ||
        { tail -n 5 "$tmp/log"; echo "debootstrap failed"; exit 77; }
    cp "$deb" "$root/tmp/"
    dpkg_in() {
        local arguments=("${@/#$deb//tmp/${deb##*/}}")
        chroot "$root" dpkg "${arguments[@]}"
    }
    in_root() { chroot "$root" /usr/bin/env "$@"; }
    gcc examples/c/who.c -o "$root/usr/local/bin/who"
    who=/usr/local/bin/who
    command=/usr/bin/hakmem
fi
[ -z "$(ours)" ] || { echo "FAILED: not a clean root"; exit 1; }

dpkg_in -i "$deb" >"$tmp/log" 2>&1 || { cat "$tmp/log"; exit 1; }
says "install ok installed" dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${Status}' hakmem
says "served by the system's malloc" in_root "$who"
says "$served" in_root LD_PRELOAD=libhakmem.so.0 "$who" # by its name: ldconfig ran, or LD_LIBRARY_PATH is set
says "hakmem $version" in_root "$command" --version
says "$served" in_root "$command" run -q -- "$who"
gzip -t "$root"/usr/share/man/man{1/hakmem.1,3/hakmem.3,5/hakmem.conf.5}.gz
[ -s "$root/usr/share/doc/hakmem/copyright" ] || { echo "FAILED: no copyright"; exit 1; }
if [ -z "$here" ]; then
    says "hakmem: statistics" in_root HAKMEM_STATS=1 LD_PRELOAD=libhakmem.so.0 /usr/bin/perl -e 'print "x" x 1000'
    says "libhakmem.so.0 (libc6,x86-64) => " in_root ldconfig -p
fi

# It links programs too, by the names in it.
export PKG_CONFIG_PATH=$root$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
gcc examples/c/who.c -o "$tmp/linked" $(pkg-config --cflags --libs hakmem)
readelf -dW "$tmp/linked" | grep -q 'NEEDED.*libhakmem\.so\.0' || { echo "FAILED: -lhakmem did not link"; exit 1; }
says "$served" env LD_LIBRARY_PATH="$root$lib" "$tmp/linked"

dpkg_in --purge hakmem >"$tmp/log" 2>&1 || { cat "$tmp/log"; exit 1; }
left=$(ours | grep -v '/tmp/' || true)
[ -z "$left" ] || { echo "FAILED: left behind: $left"; exit 1; }
echo "ok purged"
