#!/usr/bin/env bash
# The shared library of an archive. By gcc, not by cargo: rustc has a version script of its own, beside which no linker takes one with versions in it.
# The rest is what build.rs tells cargo, with its reasons. libgcc is what the linker would ask for in vain.
# Sorted by alignment: the tables (base/aside.rs) lie together, and so do the words of all boxes that every process writes to.
# usage: scripts/link.sh GCC ARCHIVE LIBRARY [OPTION…]
set -euo pipefail
[ $# -ge 3 ] || { sed -n 's/^# usage/usage/p' "$0" >&2; exit 2; }
here=$(dirname "$0")
"$here/order.sh" "${1%gcc}" "$2"
exec "$1" -shared -nodefaultlibs -nostartfiles -o "$3" -Wl,-soname,libhakmem.so.0 -Wl,--version-script="$here/hakmem.map" -Wl,-u,malloc "$2" \
    -Wl,-z,nodelete -Wl,-z,now -Wl,-z,relro -Wl,-z,noexecstack -Wl,--gc-sections -Wl,--as-needed -Wl,-O1 -Wl,--sort-section=alignment -Wl,--build-id=sha1 \
    -Wl,--defsym=rust_eh_personality=hakmem_no_personality "${@:4}" -lc -lgcc
