#!/usr/bin/env bash
# What programs that are linked already count on: the functions and types of hakmem.h are as in scripts/hakmem.abi, by libabigail, or new. That
# file is written anew with each version (--update). A struct that says its size may grow at its end. (Which names the library exports:
# scripts/install/debian/libhakmem0.symbols.) usage: scripts/check_abi.sh [--update]; status 77: there is no abidiff
set -euo pipefail
cd "$(dirname "$0")/.."
update=
case $#:${1-} in 0:) ;; 1:--update) update=1 ;; *) sed -n 's/.*\(usage: [^;]*\);.*/\1/p' "$0" | head -n 1 >&2; exit 2 ;; esac
for tool in abidiff abidw gcc; do command -v $tool >/dev/null || { echo "there is no $tool (apt-get install abigail-tools)"; exit 77; }; done
lib=target/release/libhakmem.so stored=scripts/hakmem.abi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Rust's debug information does not tell C's types. A library that is nothing but the header does: each function of it, with an empty body.
dump() { # HEADER FILE
    {
        echo "#include \"$(realpath "$1")\""
        awk '/^(extern "C" )?\{?$|^#|^}/ {next} /\/\*/ {inside = 1} !inside && /[^ ]/ {text = text " " $0} /\*\// {inside = 0}
            !inside && /;$/ {if (text ~ /hak_[a-z_]+ *\(/ && text !~ /typedef|\{/) {sub(/;$/, " { __builtin_trap(); }", text); print text}; text = ""}' "$1"
    } >"$tmp/all.c"
    gcc -g -O0 -shared -fPIC -Wl,-soname,libhakmem.so.0 -Wl,--version-script=scripts/hakmem.map "$tmp/all.c" -o "$tmp/libhakmem.so"
    abidw --no-corpus-path --no-comp-dir-path --no-show-locs --short-locs --out-file "$2" "$tmp/libhakmem.so"
}
own() { nm -D --defined-only "$1" | awk '$3 ~ /^hak_/ {print $3}' | LC_ALL=C sort; }
cat >"$tmp/grows" <<'END'
[suppress_type]
  name_regexp = ^hak_(stats|heap_class)$
  has_data_member_inserted_at = end
END
compare() { abidiff --suppressions "$tmp/grows" --no-added-syms "$1" "$2"; }

dump include/hakmem.h "$tmp/now.abi"
# hak_layout is what the command reads, which says its own version.
differ=$(diff <(own "$tmp/libhakmem.so") <(own $lib | grep -v '^hak_layout@') || true)
[ -z "$differ" ] || { echo "FAILED: the header and the library have not the same functions:"; echo "$differ"; exit 1; }
if [ -n "$update" ]; then
    cp "$tmp/now.abi" $stored
    echo "$stored: $(grep -c '<function-decl ' $stored) functions"
    exit
fi
compare $stored "$tmp/now.abi" || { echo "FAILED: programs that are linked with an earlier version would break, as said above"; exit 1; }

# It would say so: a field more at the end is let pass, a field in the middle and an argument of another type are not.
sed 's/^} hak_stats;/  uint64_t more;\n&/' include/hakmem.h >"$tmp/end.h"
sed 's/^  uint64_t live_bytes;/  uint64_t more;\n&/' include/hakmem.h >"$tmp/middle.h"
sed 's/^int hak_is_ours(const void \*/int hak_is_ours(long /' include/hakmem.h >"$tmp/argument.h"
for way in end middle argument; do
    ! cmp -s include/hakmem.h "$tmp/$way.h" || { echo "FAILED: the header is no longer written so that '$way' can be tried"; exit 1; }
    dump "$tmp/$way.h" "$tmp/$way.abi"
    status=0
    compare $stored "$tmp/$way.abi" >"$tmp/log" || status=$?
    [ "$((status != 0))" = "$((${#way} != 3))" ] || { cat "$tmp/log"; echo "FAILED: a change of kind '$way' gave status $status"; exit 1; }
done
echo "ABI ok: $(grep -c '<function-decl ' "$tmp/now.abi") functions"
