#!/usr/bin/env bash
# The report in a real browser: made from canned.json (or the given JSON), opened in headless Chromium, light and
# dark. Also what the scripts say to wrong arguments and damaged files. Screenshots: tests/report/build/.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scripts=$here/../../scripts
build=$here/build

usage() { echo "usage: $0 [JSON]" >&2; exit 2; }
(($# <= 1)) || usage
[[ ${1-x} != -* && -n ${1-x} ]] || usage
json=${1-$here/canned.json}
[ -r "$json" ] || { echo "$0: no such file: $json" >&2; exit 2; }

if ! command -v chromium chromium-browser google-chrome >/dev/null; then
    echo "installing chromium"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } \
        >/dev/null 2>&1 || { echo "FAILED: chromium is not installed and apt-get cannot install it"; exit 1; }
fi

rm -rf "$build"
mkdir -p "$build"
report() { "$scripts/bench_report.py" "$@" >"$build/log" 2>&1; }
report "$json" "$build/report.html" --svg-dir "$build/svg" --markdown "$build/report.md" || { cat "$build/log"; echo "FAILED: no report"; exit 1; }
failed=0
kind=complete
(($# == 0)) || kind=
python3 -B "$here/check.py" "$build" "$build/report.html" $kind || failed=1
rm -rf "$build/profile" "$build/probe.html"

# expect STATUS PATTERN COMMAND...: this exit status, the pattern on stderr, and never a traceback.
expect() {
    local status=$1 pattern=$2 got=0
    shift 2
    "$@" >"$build/out" 2>"$build/err" </dev/null || got=$?
    if ((got != status)) || ! { [ -z "$pattern" ] || grep -q -- "$pattern" "$build/err"; } || grep -q Traceback "$build/err"; then
        echo "FAILED: exit $got instead of $status, or no '$pattern': $*"
        sed 's/^/    /' "$build/err" | tail -5
        failed=1
    fi
}
for arguments in "--bogus" "extra" "--rounds" "--rounds 0" "--rounds x" "--with nothing" "--only" "--only bogus" "--only ,"\
    "--short --full" "--with hakmem=/dev/null" "--json /nonexistent/dir/x.json"; do
    # shellcheck disable=SC2086 # words
    expect 2 usage: "$scripts/bench_all.sh" --smoke $arguments
done
for arguments in "" "--bogus x" "a b c" "a --svg-dir" "a --markdown"; do
    # shellcheck disable=SC2086
    expect 2 usage: "$scripts/bench_report.py" $arguments
done
expect 2 usage: "$0" one two
expect 2 usage: "$0" --bogus

: >"$build/empty.json"
echo '{"schema": 1}' >"$build/short.json"
echo '[1, 2]' >"$build/list.json"
sed 's/"machine"/"nothing"/' "$here/canned.json" >"$build/damaged.json"
expect 1 empty.json "$scripts/bench_report.py" "$build/empty.json"
expect 1 short.json "$scripts/bench_report.py" "$build/short.json"
expect 1 list.json "$scripts/bench_report.py" "$build/list.json"
expect 1 damaged "$scripts/bench_report.py" "$build/damaged.json"
expect 1 "No such file" "$scripts/bench_report.py" "$build/none.json"
expect 1 "No such file" "$scripts/bench_report.py" "$json" /nonexistent/dir/x.html

# HAKMEM alone, and one round of it: no system to compare with, no spread, still a report.
python3 -B - "$here/canned.json" "$build/alone.json" <<'P'
import json, sys
data = json.load(open(sys.argv[1]))
data["allocators"] = [a for a in data["allocators"] if a["name"] == "hakmem"]
for benchmark in data["benchmarks"]:
    benchmark["results"] = {"hakmem": {"runs": benchmark["results"]["hakmem"]["runs"][:1]}}
json.dump(data, open(sys.argv[2], "w"))
P
expect 0 "" "$scripts/bench_report.py" "$build/alone.json"

((failed)) && { echo "the report FAILED"; exit 1; }
echo "the report is fine"
