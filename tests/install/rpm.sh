#!/usr/bin/env bash
# The packages of `make rpm` in a root that holds nothing else: rpmlint finds nothing (scripts/rpm.sh), they install, work with this machine's programs
# (smoke.sh), and are erased without a trace. usage: tests/install/rpm.sh; status 77: this machine can't
set -euo pipefail
cd "$(dirname "$0")/../.."
(($# == 0)) || { sed -n 's/.*\(usage: [^;]*\);.*/\1/p' "$0" | head -n 1 >&2; exit 2; }
unset LD_PRELOAD LD_LIBRARY_PATH DESTDIR PREFIX "${!HAKMEM_@}"
export LC_ALL=C
[ "$(id -u)" = 0 ] || { echo "needs root: rpm installs"; exit 77; }
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
scripts/rpm.sh 2>"$tmp/log" || { status=$?; tail -n 5 "$tmp/log"; exit $status; }

root=$tmp/root lib=$tmp/root/usr/lib64
mkdir "$root"
# Without their scripts, which are ldconfig: it is not in there. What they depend on neither.
rpm --root "$root" -i --nodeps --noscripts target/rpm/*.rpm
for package in libhakmem0 hakmem-devel hakmem; do rpm --root "$root" -V --nodeps --noscripts "$package"; done
rpm -qp --provides target/rpm/libhakmem0-*.rpm | grep -qxF 'libhakmem.so.0(HAKMEM_0)(64bit)' # what programs linked with it will ask for
LD_LIBRARY_PATH=$lib PKG_CONFIG_PATH=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root HAKMEM_COMMAND=$root/usr/bin/hakmem tests/install/smoke.sh examples/c "$version"
rpm --root "$root" -e --noscripts hakmem hakmem-devel libhakmem0
left=$(find "$root" -name '*hakmem*')
[ -z "$left" ] || { echo "FAILED: left behind: $left"; exit 1; }
echo "ok erased"
