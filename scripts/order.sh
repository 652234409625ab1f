#!/usr/bin/env bash
# Puts side by side, in an archive of the library, what every process runs: first its start, then the first blocks and the slow paths of the usual mode, then
# what only those come to that grow, and give memory back.
# The kernel brings 64 KiB of a program's code with a page fault, and these functions lay in seven times 64 KiB.
#
# By names of sections that linkers' own scripts place together. Before them come those of cold functions, so these lose that name. What is named here
# are modules mostly, so that it does not matter what the compiler makes a function of its own.
# usage: scripts/order.sh BINUTILS-PREFIX ARCHIVE
set -euo pipefail
[ $# = 2 ] || { sed -n 's/^# usage/usage/p' "$0" >&2; exit 2; }
tools=$1 archive=$2
[[ $tools = *- ]] || tools=

start='6hakmem(3abi(5start|3cxx|2dl)|4base5label|6canary4hash4make|6config|2os(5clock|6loaded|6sealed))|ARGV_INIT_ARRAY|4core3str8converts9from_utf8'
start+='|[.](__libc_)?(malloc|calloc|realloc|free)$|[.](_Znwm|_ZdlPv)$|3mem(6memcpy|6memset|7memmove)$'
first='6hakmem(2os(3env|5linux|6memory)|4meta|5class|8page_map|4span(4head|5lists|6refill|7backend)|9superslab(4pool|5index|5state|5table|6supply)'
first+='|6record10start_slow|7reclaim(10look_round|4idle|5decay)|4heap(3bin|5flush|6behind|6recall|6refill|7inherit|8capacity|8registry|9lifecycle)'
first+='|5front(3ask|4slow|6source|6thread|7realloc|8recorded|9slow_free))'
grown='6hakmem(5large|7reclaim|9superslab(5purge|6supply)|5learn|2os4lock|4base4tray|8baseline9flush_all|8hardened5purge'
grown+='|4heap(3ebb|8magazine|9node_pool|6outbox|5purge|6remote|5seats|6strays|8capacity)|4span(5ahead|7backend|5flush|6gather|5sweep|5steps)'
grown+='|5front(5grown|8profiled7resized|4sink|4slow15alloc_unmetered|4warm|6thread))|[.](dlopen|dlsym)$|meta[.][.]spare|6option.*7or_else'
# What of these only other modes run, or hardly anybody.
other='_full|aligned_cold|free_rounded|unmap_one|parse3set|7Setting(3set|11write|13write)|checked|metered|recorded(10note|4note)|free_recorded|strict|_own|[0-9]retire|[0-9]orphan|give_up|10debug_line|3cut|deepen|refill_group'
# objcopy takes no member whose sections are but the first, which is none, and that of names: the debug information of a crate that has none.
mapfile -t empty < <("${tools}readelf" -SW "$archive" 2>/dev/null | sed -nE '/^File: .*\((.*)\)$/{s//\1/;h}; /^There are 2 section headers/{g;p}')
[ ${#empty[@]} = 0 ] || "${tools}ar" d "$archive" "${empty[@]}" 2>/dev/null # it tells of each member in bitcode
renamed=$(mktemp)
trap 'rm -f "$renamed"' EXIT
"${tools}readelf" -SW "$archive" 2>/dev/null | grep -oE '[.]text[.][^ ]+' | sort -u | awk -v start="$start" -v first="$first" -v grown="$grown" -v other="$other" '
    { name = $0; sub(/^[.]text[.]((unlikely|hot|startup)[.])?/, ".", name); to = "" }
    name ~ grown { to = ".sorted.grown" }
    name ~ first { to = ".hot" }
    name ~ start { to = ".startup" }
    name ~ other { to = name ~ grown ? ".sorted.grown" : "" }
    $0 != ".text" to name { print "--rename-section " $0 "=.text" to name }' >"$renamed"
"${tools}objcopy" "@$renamed" "$archive" "$archive.ordered"
mv "$archive.ordered" "$archive"
