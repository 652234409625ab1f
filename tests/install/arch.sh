#!/usr/bin/env bash
# scripts/install/arch/PKGBUILD: makepkg builds the package from this commit's tar file, without root, pacman installs it in a root that holds nothing else,
# where it works with this machine's programs (smoke.sh), and removes it without a trace. A build of library and command: minutes.
# usage: tests/install/arch.sh; status 77: this machine can't
set -euo pipefail
cd "$(dirname "$0")/../.."
(($# == 0)) || { sed -n 's/.*\(usage: [^;]*\);.*/\1/p' "$0" | head -n 1 >&2; exit 2; }
for tool in makepkg pacman fakeroot bsdtar; do
    command -v $tool >/dev/null || { echo "there is no $tool (apt-get install makepkg pacman-package-manager fakeroot libarchive-tools)"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "needs root: pacman installs"; exit 77; }
unset LD_PRELOAD LD_LIBRARY_PATH DESTDIR PREFIX CARGO_TARGET_DIR "${!HAKMEM_@}"
export LC_ALL=C
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

cp scripts/install/arch/PKGBUILD "$tmp/"
git archive --prefix="hakmem-$version/" HEAD | gzip -n >"$tmp/hakmem-$version.tar.gz"
# makepkg refuses root, who is somebody else in a namespace of his own. What it depends on pacman knows only on Arch: -d.
(cd "$tmp" && unshare --user --map-user=1000 --map-group=1000 makepkg -d) >"$tmp/log" 2>&1 || { tail -n 30 "$tmp/log"; exit 1; }
! grep 'WARNING' "$tmp/log" | grep -v 'skipped\|dependency checks' || { echo "FAILED: makepkg warns"; exit 1; }
package=$(echo "$tmp/hakmem-$version-1-"*.pkg.tar*)
echo "ok ${package##*/}: $(bsdtar -tf "$package" | grep -c '[^/]$') files"

root=$tmp/root lib=$tmp/root/usr/lib
mkdir -p "$root/var/lib/pacman"
in_root() { pacman --root "$root" --dbpath "$root/var/lib/pacman" --config /dev/null --noconfirm --noscriptlet -dd "$@" >"$tmp/log" 2>&1 || { cat "$tmp/log"; exit 1; }; }
in_root -U "$package"
LD_LIBRARY_PATH=$lib PKG_CONFIG_PATH=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root HAKMEM_COMMAND=$root/usr/bin/hakmem tests/install/smoke.sh examples/c "$version"
in_root -R hakmem
left=$(find "$root/usr" -name '*hakmem*' 2>/dev/null || true)
[ -z "$left" ] || { echo "FAILED: left behind: $left"; exit 1; }
echo "ok removed"
