#!/usr/bin/env bash
# Debian packages from what `make install` stages, in target/debian/: libhakmem0 (the library, with a list of its symbols for programs that are
# packaged with it), libhakmem-dev, hakmem (the command, the documents), and libhakmem0-dbgsym. What is in them is in scripts/install/debian/.
# By dpkg-dev's tools, without debhelper: Debian's archive would want each crate as a package. SOURCE_DATE_EPOCH, or else the last commit's
# time, is the time of every file in them. SYMBOLS: another list than the one there. For another architecture: TARGET, as for scripts/install.sh. usage: scripts/deb.sh; status 77: no dpkg-dev here
set -euo pipefail
cd "$(dirname "$0")/.."
(($# == 0)) || { sed -n 's/.*\(usage: [^;]*\);.*/\1/p' "$0" | head -n 1 >&2; exit 2; }
for tool in dpkg-deb dpkg-gencontrol dpkg-gensymbols dpkg-shlibdeps; do
    command -v $tool >/dev/null || { echo "deb.sh: there is no $tool (apt-get install dpkg-dev)"; exit 77; }
done
. scripts/target.sh
[ -n "$multiarch" ] || { echo "deb.sh: ${tools}gcc names no multiarch directory"; exit 77; }
[ -x "${COMMAND:-cli/$release/hakmem}" ] || { echo "deb.sh: the hakmem command is not built: make cli"; exit 1; }
DEB_HOST_ARCH=$(dpkg-architecture -f -t "$multiarch" -q DEB_HOST_ARCH 2>/dev/null)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
export DEB_HOST_ARCH SOURCE_DATE_EPOCH LC_ALL=C
umask 022

work=$PWD/target/deb ours=$PWD/scripts/install/debian
root=$work/root libdir=/usr/lib/$multiarch
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
soname=libhakmem.so.${version%%.*}
library=libhakmem${version%%.*} # the package's name changes with the SONAME's number, so that old and new can be installed together
grep -qx "Package: $library" "$ours/control" || { echo "deb.sh: scripts/install/debian names no $library" >&2; exit 1; }
rm -rf "$work" target/debian
mkdir -p "$work/debian" target/debian
env -u BINDIR -u INCLUDEDIR -u DATADIR -u MANDIR -u DOCDIR \
    DESTDIR="$root" PREFIX=/usr LIBDIR="$libdir" scripts/install.sh >"$work/install.log"

cp "$ours/control" "$work/debian/control"
maintainer=$(sed -n 's/^Maintainer: //p' "$ours/control")
cat >"$work/debian/changelog" <<END
hakmem ($version-1) unstable; urgency=medium

  * What is new is in /usr/share/doc/hakmem/changelog.gz.

 -- $maintainer  $(date -uRd "@$SOURCE_DATE_EPOCH")
END
{
    printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: HAKMEM\n\nFiles: *\n'
    sed -n 's/^Copyright (c) /Copyright: /p' LICENSE
    printf 'License: Expat\n'
    sed '1,/^Copyright/d; 1,/^$/{/^$/d}; s/^$/./; s/^/ /' LICENSE
} >"$work/debian/copyright"

move() { # PACKAGE PATH...: below root, to the same place in the package
    local to=$work/$1 path
    shift
    for path; do
        mkdir -p "$to${path%/*}"
        mv "$root"$path "$to${path%/*}/"
    done
}
move "$library" "$libdir/$soname" "$libdir/libhakmem.so.$version"
move libhakmem-dev "$libdir/libhakmem.so" "$libdir/libhakmem.a" "$libdir/pkgconfig" "$libdir/cmake" /usr/include /usr/share/man/man3
rm "$root/usr/share/doc/hakmem/LICENSE" # is in `copyright`
mv "$root/usr/share/doc/hakmem/CHANGELOG.md" "$root/usr/share/doc/hakmem/changelog" # Debian's name
gzip -9n "$root/usr/share/doc/hakmem/changelog"
[ ! -d "$root/usr/share/zsh/site-functions" ] || mv "$root/usr/share/zsh/site-functions" "$root/usr/share/zsh/vendor-completions" # Debian's place
move hakmem /usr/bin /usr/share
left=$(find "$root" ! -type d)
[ -z "$left" ] || { echo "deb.sh: in no package: $left" >&2; exit 1; }
id=$(readelf -nW "$work/$library$libdir/$soname" | sed -n 's/.*Build ID: //p')
install -D -m 644 "$release/libhakmem.so.debug" "$work/$library-dbgsym/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug"
chmod -x "$work/$library$libdir/libhakmem.so.$version"

cd "$work"
pack() { # PACKAGE
    local package=$1 doc=$1/usr/share/doc/$1 page
    mkdir -p "$package/DEBIAN" "${doc%/*}"
    if [[ $package == *-dbgsym ]]; then
        ln -s "${package%-dbgsym}" "$doc"
    else
        mkdir -p "$doc"
        cp debian/copyright "$doc/copyright"
        cp debian/changelog "$doc/changelog.Debian"
        gzip -9n "$doc/changelog.Debian"
    fi
    for page in "$package"/usr/share/man/man*/*; do [ ! -f "$page" ] || gzip -9n "$page"; done
    dpkg-gencontrol -p"$package" -P"$package" -T"debian/$package.substvars" -fdebian/files -Vmisc:Depends= -Vmisc:Pre-Depends= "${@:2}"
    (cd "$package" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 -r md5sum >DEBIAN/md5sums)
    find "$package" -type d -exec chmod 755 {} +
    find "$package" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group -Zxz --build "$package" ../debian/ >/dev/null
}
where=(-l"$library$libdir")
# A cross compiler's libraries, where there are no others: dpkg looks only where programs of that architecture would be installed.
[ -e "$libdir/libc.so.6" ] || [ ! -d "/usr/$multiarch/lib" ] || where+=(-l"/usr/$multiarch/lib")
needs() { # PACKAGE FILE: what packages the file asks for
    dpkg-shlibdeps -T"debian/$1.substvars" "${where[@]}" "$2" 2>"debian/$1.log" || { cat "debian/$1.log" >&2; exit 1; }
    sed -i "s/-$DEB_HOST_ARCH-cross//g; s/:$DEB_HOST_ARCH//g" "debian/$1.substvars" # what those are packaged as
}
mkdir "$library/DEBIAN"
cp "$ours/$library.triggers" "$library/DEBIAN/triggers"
# A symbol that is no longer there ends it, but only if the list is of an older version than this: hence the first, with a revision. The
# second is what is packaged: new ones are added, as of this version.
symbols() { # VERSION FILE
    dpkg-gensymbols -p"$library" -P"$library" -v"$1" -I"${SYMBOLS:-$ours/$library.symbols}" -O"$2" >debian/symbols.log 2>&1 || { cat debian/symbols.log >&2; exit 1; }
}
symbols "$version-1" debian/symbols
symbols "$version" "$library/DEBIAN/symbols"
echo "libhakmem ${version%%.*} $library (>= $version)" >"$library/DEBIAN/shlibs" # for who reads no symbols
needs "$library" "$library$libdir/libhakmem.so.$version"
needs hakmem hakmem/usr/bin/hakmem
for package in "$library" libhakmem-dev hakmem; do pack "$package"; done
cat >>debian/control <<END

Package: $library-dbgsym
Section: debug
Priority: optional
Architecture: any
Multi-Arch: same
Depends: $library (= \${binary:Version})
Description: debug symbols for $library
END
pack "$library-dbgsym" -DAuto-Built-Package=debug-symbols "-DBuild-Ids=$id"
cd ../..
ls target/debian/*.deb
