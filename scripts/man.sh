#!/usr/bin/env bash
# Man pages hakmem(3) and hakmem.conf(5): docs/man/*.in, filled in from include/hakmem.h and from what the built library
# prints under HAKMEM_HELP=1, so that they say what it does. usage: scripts/man.sh DIRECTORY
set -euo pipefail
cd "$(dirname "$0")/.."
(($# == 1)) && [ -d "$1" ] || { sed -n 's/.*\(usage: .*\)/\1/p' "$0" | head -n 1 >&2; exit 2; }
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

roff='function roff(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
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

# A comment, then the declaration it describes: a function, or a type of several lines.
awk -v prototypes="$tmp/prototypes" -v functions="$tmp/functions" "$roff"'
    /^\/\*$/ { text = ""; comment = 1; next }
    comment && /^ \*\/$/ { comment = 0; next }
    comment { sub(/^ /, ""); text = text ($0 == "" ? ".PP" : roff($0)) "\n"; next }
    /^#|^\/\*|^extern "C" \{|^\}  \/\/|^ *$/ { if (!declaring) next }
    {
        if (!declaring) { declaration = ""; depth = 0; declaring = 1 }
        declaration = declaration $0 "\n"
        depth += gsub(/\{/, "{") - gsub(/\}/, "}")
        if (depth || !/;$/) next
        declaring = 0
        sub(/\n$/, "", declaration)
        count = split(declaration, lines, "\n")
        is_function = declaration !~ /\{/ && match(declaration, /[a-z_0-9]+\(/)
        shown = ""
        for (at = 1; at <= count; at++) shown = shown roff(lines[at]) "\n"
        if (is_function) {
            name = substr(declaration, RSTART, RLENGTH - 1)
            printf "%s", shown >prototypes
            printf ".SS %s()\n%s", name, text >functions
        } else {
            printf ".PP\n%s.PP\n.in +4n\n.EX\n%s.EE\n.in\n", text, shown >functions
        }
        text = ""
    }' include/hakmem.h

# One template line that is only @name@ stands for the file of that name.
fill_in() { # TEMPLATE TARGET
    sed -e "s|@version@|$version|g" -e "/^@options@$/{r $tmp/options
d}" -e "/^@prototypes@$/{r $tmp/prototypes
d}" -e "/^@functions@$/{r $tmp/functions
d}" "$1" >"$2"
}
fill_in docs/man/hakmem.3.in "$1/hakmem.3"
fill_in docs/man/hakmem.conf.5.in "$1/hakmem.conf.5"
