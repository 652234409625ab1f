#!/usr/bin/env bash
# Debian's Rust of the oldest version that builds HAKMEM (rust-version in Cargo.toml), with std for arm64 too: unpacked below
# target/, not installed, so it needs no root and changes nothing of this machine's. Prints the path of its rustc.
# usage: scripts/debian_rust.sh; status 77: it can't be had here
set -euo pipefail
cd "$(dirname "$0")/.."
(($# == 0)) || { sed -n 's/.*\(usage: [^;]*\);.*/\1/p' "$0" | head -n 1 >&2; exit 2; }
version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
root=$PWD/target/debian-rust/$version rustc=$PWD/target/debian-rust/$version/rustc
if [ -x "$rustc" ]; then
    echo "$rustc"
    exit
fi
no() { echo "debian_rust.sh: $1" >&2; exit 77; }
for tool in apt-get dpkg-deb; do command -v $tool >/dev/null || no "there is no $tool"; done
[ "$(dpkg --print-architecture)" = amd64 ] || no "this is not amd64"

rm -rf "$root"
mkdir -p "$root"/apt/{lists,archives}/partial "$root/debs"
log=$root/log
# Lists of its own, for a machine that knows nothing of arm64.
options=(-qq -o "Dir::State::lists=$root/apt/lists" -o "Dir::Cache::archives=$root/apt/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
    -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 -o APT::Sandbox::User=root)
apt-get "${options[@]}" update >"$log" 2>&1 || no "apt-get update failed: $(tail -n 1 "$log")"
get() { (cd "$root/debs" && apt-get "${options[@]}" download "$@" >>"$log" 2>&1); }
# Debian 13 has this version as its own, Debian 12 beside its own.
found=
for kind in rustc-web rustc; do
    std=${kind/rustc/libstd-rust}
    exact=$(apt-cache "${options[@]}" madison $kind:amd64 | awk -F' *[|] *' -v v="$version." 'index($2, v) == 1 {print $2; exit}')
    [ -n "$exact" ] || continue
    llvm=$(apt-cache "${options[@]}" show "$std-$version=$exact" | sed -n 's/^Depends:.*\(libllvm[0-9]*\).*/\1/p' | head -n 1)
    get "$kind:amd64=$exact" "$std-$version:amd64=$exact" "$std-dev:amd64=$exact" "$std-dev:arm64=$exact" ${llvm:+"$llvm:amd64"} && found=1 && break
done
[ -n "$found" ] || no "Debian here has no rustc $version with std for arm64"
unpack() { for deb in "$root"/debs/*.deb; do dpkg-deb -x "$deb" "$root" && rm "$deb"; done; }
unpack
library=$root/usr/lib/x86_64-linux-gnu
if find "$library" -name '*.so*' -exec env LD_LIBRARY_PATH="$library" ldd {} + 2>/dev/null | grep -q 'not found'; then
    # What LLVM needs, where nothing else here does.
    for package in libz3-4 libedit2 libxml2 libicu72 libbsd0 libmd0 libffi8 libtinfo6; do get "$package:amd64" || true; done
    unpack
fi
cat >"$rustc.new" <<END
#!/bin/sh
LD_LIBRARY_PATH=$library\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH} exec $root/usr/bin/rustc "\$@"
END
chmod +x "$rustc.new"
"$rustc.new" --version >>"$log" 2>&1 || no "it does not run: $(tail -n 1 "$log")"
mv "$rustc.new" "$rustc"
echo "$rustc"
