#!/usr/bin/env bash
# RPM packages from what `make install` stages, in target/rpm/: libhakmem0, hakmem-devel, hakmem. By rpmbuild, from scripts/install/hakmem.spec;
# nothing is compiled there. rpmlint, if it is there, must find no error and no warning but those of scripts/install/rpmlint.toml.
# Libraries go to LIBDIR (/usr/lib64, as Fedora and openSUSE have it). usage: scripts/rpm.sh; status 77: there is no rpmbuild
set -euo pipefail
cd "$(dirname "$0")/.."
(($# == 0)) || { sed -n 's/.*\(usage: [^;]*\);.*/\1/p' "$0" | head -n 1 >&2; exit 2; }
command -v rpmbuild >/dev/null || { echo "rpm.sh: there is no rpmbuild (apt-get install rpm, dnf install rpm-build)"; exit 77; }
. scripts/target.sh
[ -x "${COMMAND:-cli/$release/hakmem}" ] || { echo "rpm.sh: the hakmem command is not built: make cli"; exit 1; }
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
export SOURCE_DATE_EPOCH LC_ALL=C
umask 022
libdir=${LIBDIR:-/usr/lib64}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
work=$PWD/target/rpm
rm -rf "$work"
mkdir -p "$work"
env -u BINDIR -u INCLUDEDIR -u DATADIR -u MANDIR DOCDIR=/usr/share/doc/hakmem \
    DESTDIR="$work/root" PREFIX=/usr LIBDIR="$libdir" scripts/install.sh >"$work/install.log"
install -D -m 644 LICENSE "$work/root/usr/share/licenses/libhakmem${version%%.*}/LICENSE"
rm "$work/root/usr/share/doc/hakmem/LICENSE"
gzip -9n "$work"/root/usr/share/man/man*/*
control=scripts/install/debian/control # says for all packages who makes them
sed -e "s|@version@|$version|g" -e "s|@homepage@|$(sed -n 's/^Homepage: //p' $control)|g" -e "s|@maintainer@|$(sed -n 's/^Maintainer: //p' $control)|g" -e "s|@soversion@|${version%%.*}|g" \
    -e "s|@date@|$(date -ud "@$SOURCE_DATE_EPOCH" '+%a %b %d %Y')|" \
    scripts/install/hakmem.spec >"$work/hakmem.spec"
# Nothing is stripped or compressed anew: make has. Times and names are this version's, not this machine's.
rpmbuild -bb --quiet ${target:+--target "${target%%-*}-linux"} --define "_topdir $work/build" --define "_rpmdir $work" --define "staged $work/root" \
    --define "_libdir $libdir" --define '_docdir /usr/share/doc' --define '_licensedir /usr/share/licenses' --define '_mandir /usr/share/man' \
    --define '__os_install_post %{nil}' --define 'debug_package %{nil}' --define 'vendor The HAKMEM authors' \
    --define '_build_id_links none' --define 'use_source_date_epoch_as_buildtime 1' --define 'clamp_mtime_to_source_date_epoch 1' --define '_buildhost hakmem' \
    --define '_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' "$work/hakmem.spec" >"$work/log" 2>&1 || { tail -n 20 "$work/log"; exit 1; }
ls target/rpm/*.rpm
! command -v rpmlint >/dev/null || rpmlint --strict --config scripts/install/rpmlint.toml target/rpm/*.rpm >"$work/lint" 2>&1 || { cat "$work/lint"; exit 1; }
[ ! -f "$work/lint" ] || grep ' packages and ' "$work/lint"
