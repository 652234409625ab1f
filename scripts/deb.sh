#!/usr/bin/env bash
# target/debian/hakmem_*.deb from what `make install` stages, the command included. Needs cargo-deb (`cargo install
# cargo-deb`). For another architecture: TARGET, as for scripts/install.sh. usage: scripts/deb.sh
set -euo pipefail
cd "$(dirname "$0")/.."
(($# == 0)) || { sed -n 's/.*\(usage: .*\)/\1/p' "$0" | head -n 1 >&2; exit 2; }
command -v cargo-deb >/dev/null || { echo "deb.sh: there is no cargo-deb: cargo install cargo-deb"; exit 77; }
. scripts/target.sh
[ -n "$multiarch" ] || { echo "deb.sh: ${tools}gcc names no multiarch directory"; exit 77; }
[ -x "${COMMAND:-cli/$release/hakmem}" ] || { echo "deb.sh: the hakmem command is not built: make cli"; exit 1; }

root=$PWD/target/deb/root
rm -rf target/deb target/debian
env -u BINDIR -u INCLUDEDIR -u DATADIR -u MANDIR -u DOCDIR \
    DESTDIR="$root" PREFIX=/usr LIBDIR="/usr/lib/$multiarch" scripts/install.sh
# Debian's places for these.
[ ! -d "$root/usr/share/zsh/site-functions" ] || mv "$root/usr/share/zsh/site-functions" "$root/usr/share/zsh/vendor-completions"
rm "$root/usr/share/doc/hakmem/LICENSE" # cargo-deb writes it as `copyright`
mkdir -p target/debian
cargo deb --no-build --no-strip --no-dbgsym --quiet --output target/debian ${target:+--target "$target"}
ls target/debian/*.deb
