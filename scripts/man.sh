#!/usr/bin/env bash
# Man pages hakmem(3) and hakmem.conf(5): docs/man/*.in, filled in from include/hakmem.h and from what the built library
# prints under HAKMEM_HELP=1, so that they say what it does. usage: scripts/man.sh DIRECTORY
set -euo pipefail
cd "$(dirname "$0")/.."
(($# == 1)) && [ -d "$1" ] || { sed -n 's/.*\(usage: .*\)/\1/p' "$0" | head -n 1 >&2; exit 2; }
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

roff='function roff(text, name) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    while (match(text, /`[^`]*`/)) { # a name
        name = substr(text, RSTART + 1, RLENGTH - 2)
        text = substr(text, 1, RSTART - 1) "\\fI" name "\\fP" substr(text, RSTART + RLENGTH)
    }
    if (text ~ /^[.\047]/) text = "\\&" text
    return text
}'

# `  NAME=default  (range)`, then its help on lines of their own.
env -i HAKMEM_HELP=1 LD_PRELOAD="$PWD/target/release/libhakmem.so" /bin/true 2>"$tmp/help"
awk "$roff"'
    /^  HAKMEM_/ {
        name = $1; sub(/=.*/, "", name)
        rest = substr($0, length(name) + 4)
        range = rest; sub(/^.*  \(/, "", range); sub(/\)$/, "", range)
        value = substr(rest, 1, length(rest) - length(range) - 4)
        printf ".TP\n.BR %s \" (default %s; %s)\"\n", name, value == "" ? "none" : roff(value), roff(range)
        found++
        next
    }
    found { sub(/^ +/, ""); print roff($0) }
    END { exit !found }' "$tmp/help" >"$tmp/options" || { echo "man.sh: the library prints no options" >&2; exit 1; }

# A comment, then the declaration it describes: a function, a constant, or a type, whose fields have comments of their own.
: >"$tmp/types"
awk -v prototypes="$tmp/prototypes" -v functions="$tmp/functions" -v types="$tmp/types" "$roff"'
    function end_of_type(name) {
        sub(/^} */, "", name)
        sub(/;$/, "", name)
        printf ".SS struct %s\n%s%s", name, about, fields >types
    }
    /^ *\/\*$/ { text = ""; comment = 1; next }
    comment && /^ *\*\/$/ { comment = 0; next }
    comment { sub(/^ +/, ""); text = text ($0 == "" ? ".PP" : roff($0)) "\n"; next }
    /^#define HAK[A-Z_]+ / && text != "" { printf ".TP\n.BR %s \" (%s)\"\n%s", $2, roff($3), text >types; text = ""; next }
    /^typedef struct [a-z_]+ \{$/ { in_type = 1; about = text; fields = ""; text = ""; next }
    in_type && /^}/ { in_type = 0; end_of_type($0); next }
    in_type && /;$/ {
        sub(/^ +/, ""); sub(/;$/, "")
        fields = fields ".TP\n.I \"" roff($0) "\"\n" text
        text = ""
        next
    }
    /^#|^\/\*|^extern "C" \{|^\}  \/\/|^ *$/ { next }
    { sub(/^ +/, ""); declaration = declaration (declaration == "" ? "" : " ") $0 }
    /;$/ {
        if (declaration ~ /^typedef/) {
            printf ".PP\n.nf\n%s\n.fi\n.PP\n%s", roff(declaration), text >types
        } else if (match(declaration, /[a-z_0-9]+\(/)) {
            name = substr(declaration, RSTART, RLENGTH - 1)
            printf "%s\n", roff(declaration) >prototypes
            printf ".SS %s()\n%s", name, text >functions
        }
        declaration = text = ""
    }' include/hakmem.h

# One template line that is only @name@ stands for the file of that name.
fill_in() { # TEMPLATE TARGET
    sed -e "s|@version@|$version|g" -e "/^@options@$/{r $tmp/options
d}" -e "/^@prototypes@$/{r $tmp/prototypes
d}" -e "/^@types@$/{r $tmp/types
d}" -e "/^@functions@$/{r $tmp/functions
d}" "$1" >"$2"
}
fill_in docs/man/hakmem.3.in "$1/hakmem.3"
fill_in docs/man/hakmem.conf.5.in "$1/hakmem.conf.5"
