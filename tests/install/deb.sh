#!/usr/bin/env bash
# `make deb`'s packages: lintian finds nothing, they install in a clean root, work there (smoke.sh), and are removed without a trace.
#
# The root is a fresh Debian 12 by debootstrap (root, network, minutes), and piuparts and autopkgtest, if they are there, do the same their own way; with
# --here, which CI runs, a root that holds only the packages and dpkg's records, whose programs are this machine's.
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
lib=/usr/lib/$(gcc -print-multiarch)
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

tmp=$(mktemp -d)
root=$tmp/root
leave() {
    ! mountpoint -q "$root/proc" || umount -l "$root/proc"
    rm -rf --one-file-system "$tmp"
}
trap leave EXIT
if [ ! -x cli/target/release/hakmem ]; then # what the tests of cli/ left
    [ -x cli/target/debug/hakmem ] || { echo "there is no command to pack: make build cli"; exit 1; }
    strip cli/target/debug/hakmem -o "$tmp/hakmem"
    export COMMAND=$tmp/hakmem
fi
# A list of symbols of which one is not there stops it.
sed 's/ hak_trim@/ hak_trimmed@/' scripts/install/debian/libhakmem0.symbols >"$tmp/symbols"
if SYMBOLS=$tmp/symbols scripts/deb.sh >"$tmp/log" 2>&1 || ! grep -q hak_trimmed "$tmp/log"; then
    echo "FAILED: a symbol that is gone is not missed"
    exit 1
fi
scripts/deb.sh 2>"$tmp/log" || { status=$?; cat "$tmp/log"; exit $status; }
packages=(libhakmem0 libhakmem-dev hakmem libhakmem0-dbgsym)
debs=()
for package in "${packages[@]}"; do
    debs+=("$(readlink -e "target/debian/${package}_$version-1_$(dpkg --print-architecture).deb")")
done

# Nothing was uploaded that closed a bug, and no distribution has it: so much a package outside Debian can't help.
if command -v lintian >/dev/null; then
    lintian --allow-root --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs "${debs[@]}" || { echo "FAILED: lintian"; exit 1; }
    echo "ok lintian"
else
    echo "skipped lintian: it is not there"
fi

ours() { find "$root"/usr "$root"/etc -name '*hakmem*' 2>/dev/null; }
dpkg_in() {
    # Nothing that they depend on is in there: what they find at run time is this machine's.
    if [ -n "$here" ]; then dpkg --root="$root" --force-depends --force-not-root "$@"; else chroot "$root" dpkg "${@//$PWD\/target\/debian/\/debs}"; fi
}
if [ -n "$here" ]; then
    mkdir -p "$root"/var/lib/dpkg/{info,updates,triggers} "$root/usr" "$root/etc"
    touch "$root"/var/lib/dpkg/{status,available}
else
    debootstrap --variant=minbase bookworm "$root" "$mirror" >"$tmp/log" 2>&1 || { tail -n 5 "$tmp/log"; echo "debootstrap failed"; exit 77; }
    if command -v piuparts >/dev/null; then # installs, removes, purges, and compares all files
        tar -C "$root" -caf "$tmp/base.tar.gz" .
        piuparts --basetgz="$tmp/base.tar.gz" --no-upgrade-test --no-eatmydata -d bookworm --mirror "$mirror main" --log-file "$tmp/piuparts" "${debs[@]}" >"$tmp/log" 2>&1 ||
            { tail -n 30 "$tmp/log"; echo "FAILED: piuparts"; exit 1; }
        echo "ok piuparts"
    fi
    if command -v autopkgtest >/dev/null; then # a tree as the source package has it, of which nothing is built
        tree=$tmp/tree auto=$tmp/auto
        mkdir -p "$tree/debian" "$tree/tests/install" "$tree/examples"
        cp -r scripts/install/debian/{control,tests} "$tree/debian/"
        cp tests/install/smoke.sh "$tree/tests/install/"
        cp -r examples/c "$tree/examples/"
        printf 'hakmem (%s-1) unstable; urgency=medium\n\n  * A test.\n\n -- %s  Thu, 01 Jan 1970 00:00:00 +0000\n' "$version" \
            "$(sed -n 's/^Maintainer: //p' scripts/install/debian/control)" >"$tree/debian/changelog"
        cp -a "$root" "$auto"
        cp -L /etc/resolv.conf "$auto/etc/resolv.conf"
        autopkgtest -B "${debs[@]}" "$tree/" -- chroot "$auto" >"$tmp/log" 2>&1 || { tail -n 30 "$tmp/log"; echo "FAILED: autopkgtest"; exit 1; }
        echo "ok autopkgtest"
    fi
    mount -t proc proc "$root/proc"
    cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    mkdir "$root/debs" "$root/examples"
    cp "${debs[@]}" "$root/debs/"
    cp examples/c/*.c tests/install/smoke.sh "$root/examples/"
    chroot "$root" apt-get install -y -qq --no-install-recommends gcc libc6-dev pkg-config perl >"$tmp/log" 2>&1 || { tail -n 3 "$tmp/log"; exit 77; }
fi
[ -z "$(ours)" ] || { echo "FAILED: not a clean root"; exit 1; }

dpkg_in -i "${debs[@]}" >"$tmp/log" 2>&1 || { cat "$tmp/log"; exit 1; }
for package in "${packages[@]}"; do
    status=$(dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${Status}' "$package")
    [ "$status" = "install ok installed" ] || { echo "FAILED: $package: $status"; exit 1; }
    [ -s "$root/usr/share/doc/$package/copyright" ] || { echo "FAILED: no copyright of $package"; exit 1; }
done
gzip -t "$root"/usr/share/man/man{1/hakmem.1,3/hakmem.3,5/hakmem.conf.5}.gz
if [ -n "$here" ]; then
    LD_LIBRARY_PATH=$root$lib PKG_CONFIG_PATH=$root$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root HAKMEM_COMMAND=$root/usr/bin/hakmem \
        tests/install/smoke.sh examples/c "$version"
else
    chroot "$root" ldconfig -p | grep "libhakmem.so.0 (libc6,.*/${lib##*/}/" >/dev/null || { echo "FAILED: ldconfig does not know it"; exit 1; }
    chroot "$root" /examples/smoke.sh /examples "$version"
fi
dpkg_in --purge "${packages[@]}" >"$tmp/log" 2>&1 || { cat "$tmp/log"; exit 1; }
left=$(ours || true)
[ -z "$left" ] || { echo "FAILED: left behind: $left"; exit 1; }
echo "ok purged"
