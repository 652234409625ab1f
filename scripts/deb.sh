#!/usr/bin/env bash
# target/debian/hakmem_*.deb from what `make install` stages. Needs cargo-deb (`cargo install cargo-deb`) and Debian's
# dpkg-dev, which finds the libraries that the package depends on. usage: scripts/deb.sh
set -euo pipefail
cd "$(dirname "$0")/.."
(($# == 0)) || { sed -n 's/.*\(usage: .*\)/\1/p' "$0" | head -n 1 >&2; exit 2; }
for tool in cargo-deb dpkg-shlibdeps; do
    command -v $tool >/dev/null || { echo "deb.sh: there is no $tool"; exit 77; }
done
[ "$(gcc -print-multiarch)" = x86_64-linux-gnu ] || { echo "deb.sh: the package is laid out for x86_64-linux-gnu"; exit 77; }

root=$PWD/target/deb/root
rm -rf target/deb target/debian
env -u BINDIR -u INCLUDEDIR -u DATADIR -u MANDIR -u DOCDIR \
    DESTDIR="$root" PREFIX=/usr LIBDIR=/usr/lib/x86_64-linux-gnu scripts/install.sh
# Debian's places for these.
[ ! -d "$root/usr/share/zsh/site-functions" ] || mv "$root/usr/share/zsh/site-functions" "$root/usr/share/zsh/vendor-completions"
rm "$root/usr/share/doc/hakmem/LICENSE" # cargo-deb writes it as `copyright`
cargo deb --no-build --no-strip --no-dbgsym --quiet
ls target/debian/*.deb
