#!/usr/bin/env bash
# The report in a real browser: made from canned.json (or the given JSON), opened in headless Chromium, light and
# dark. Screenshots: tests/report/build/. Before that, what needs no browser: test_tools.py, what the programs and scripts
# say to wrong arguments and damaged files, a run whose library served nobody, Ctrl-C. Status 77: all of that passed, and
# Chromium can't be had.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scripts=$here/../../scripts
build=$here/build

usage() { echo "usage: $0 [JSON]" >&2; exit 2; }
(($# <= 1)) || usage
[[ ${1-x} != -* && -n ${1-x} ]] || usage
json=${1-$here/canned.json}
[ -r "$json" ] || { echo "$0: no such file: $json" >&2; exit 2; }

rm -rf "$build"
mkdir -p "$build"
failed=0
python3 -B "$here/test_tools.py" >"$build/log" 2>&1 || { cat "$build/log"; failed=1; }
tail -n 3 "$build/log" | sed -n 's/^Ran \([0-9]*\) tests.*/\1 tests of the tools/p'

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
make -s -C "$here/../../bench_c" >"$build/log" 2>&1 || { cat "$build/log"; echo "FAILED: bench_c does not build"; exit 1; }
for program in "$here"/../../bench_c/build/*_system; do
    for arguments in "" x "--bogus 1 2 3" "1 2 3 4 5 6 7 8 9 10 11 12" "-1 0 0"; do
        # shellcheck disable=SC2086 # words
        expect 2 usage: "$program" $arguments
    done
done
for arguments in "--bogus" "extra" "--rounds" "--rounds 0" "--rounds x" "--with nothing" "--only" "--only bogus" "--only ,"\
    "--short --full" "--rounds 1 --minutes 1" "--with hakmem=/dev/null" "--json /nonexistent/dir/x.json"; do
    # shellcheck disable=SC2086 # words
    expect 2 usage: "$scripts/bench_all.sh" --smoke $arguments
done
for arguments in "" "--bogus x" "a b c" "a --svg-dir" "a --markdown"; do
    # shellcheck disable=SC2086
    expect 2 usage: "$scripts/bench_report.py" $arguments
done
for arguments in "--compare a" "--compare a b c" "--share 0.1 a" "--compare a b --share 2" "a --figures x"; do
    # shellcheck disable=SC2086
    expect 2 usage: "$scripts/bench_report.py" $arguments
done
for arguments in "--bogus" "--rounds 0" "--only bogus" "--with nothing" "--document x" "--markdown a --quick" "--out /nonexistent/dir/x"; do
    # shellcheck disable=SC2086
    expect 2 usage: "$scripts/evaluate.sh" $arguments
done
for arguments in "--bogus" "extra" "--rounds" "--rounds 0" "--with nothing" "--only" "--only bogus" "--only system" "--with hakmem=/dev/null" "--from"; do
    # shellcheck disable=SC2086
    expect 2 usage: "$scripts/bench_tables.py" $arguments
done
for script in bench_random_mixed bench_larson bench_larson_ab run_larson; do
    expect 2 usage: "$scripts/$script.sh" 1 x
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

# Two runs: the same one agrees with itself, another one does not, unless it may.
python3 -B - "$here/canned.json" "$build/second.json" <<'P'
import json, sys
data = json.load(open(sys.argv[1]))
for benchmark in data["benchmarks"]:
    for run in benchmark["results"].get("hakmem", {}).get("runs", []):
        run["value"] *= 3
json.dump(data, open(sys.argv[2], "w"))
P
expect 0 "" "$scripts/bench_report.py" --compare "$here/canned.json" "$here/canned.json"
expect 1 "" "$scripts/bench_report.py" --compare "$here/canned.json" "$build/second.json" --share 0.05
expect 0 "" "$scripts/bench_report.py" --compare "$here/canned.json" "$build/second.json" --share 1
expect 1 damaged "$scripts/bench_report.py" --compare "$here/canned.json" "$build/short.json"
for damaged in empty short list; do expect 1 "not a result of bench_tables.py" "$scripts/bench_tables.py" --from "$build/$damaged.json"; done
for damaged in empty short list damaged; do expect 1 "$damaged.json" "$scripts/bench_tables.py" --from "$scripts/../docs/plots/tables.json" --all "$build/$damaged.json"; done
expect 0 "" "$scripts/bench_tables.py" --from "$scripts/../docs/plots/tables.json" --all "$json"
expect 1 "No such file" "$scripts/bench_tables.py" --from "$build/none.json"
expect 1 "not a result of evaluate.py" "$scripts/evaluate.sh" --markdown "$here/canned.json"

# A library that serves nobody is no result, and nothing is saved as one.
nobody=/lib/$(uname -m)-linux-gnu/libm.so.6 # not another architecture's, which may be installed too
expect 1 "served by 'system'" "$scripts/bench_all.sh" --smoke --only system,tiny_hot --with "nobody=$nobody" --json "$build/nobody.json"
expect 1 "served by 'system'" "$scripts/bench_compare.py" --rounds 1 --only system --with "nobody=$nobody" -- bench_tiny_hot 1000 64
[ ! -e "$build/nobody.json" ] || { echo "FAILED: a run that nobody served was saved"; failed=1; }

# Ctrl-C keeps the rounds that were measured.
"$scripts/bench_all.sh" --smoke --rounds 100000 --only system,tiny_hot --json "$build/cut.json" >"$build/out" 2>"$build/err" </dev/null &
for _ in $(seq 100); do [ ! -e "$build/cut.json" ] || break; sleep 0.1; done
kill -INT $!
status=0
wait $! || status=$?
if ((status != 130)) || ! grep -q '"interrupted": true' "$build/cut.json" || ! grep -q '"round": 1,' "$build/cut.json"; then
    echo "FAILED: exit $status after Ctrl-C, or what was measured is not in the JSON"
    failed=1
fi

if ! command -v chromium chromium-browser google-chrome >/dev/null; then
    echo "installing chromium"
    { timeout 60 apt-get update -qq && DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } \
        >/dev/null 2>&1 || {
        ((failed == 0)) || { echo "the report FAILED"; exit 1; }
        echo "Chromium is not installed, and apt-get can't install it"
        exit 77
    }
fi

report() { "$scripts/bench_report.py" "$@" >"$build/log" 2>&1; }
report "$json" "$build/report.html" --svg-dir "$build/svg" --markdown "$build/report.md" || { cat "$build/log"; echo "FAILED: no report"; exit 1; }
kind=complete
(($# == 0)) || kind=
python3 -B "$here/check.py" "$build" "$build/report.html" $kind || failed=1
rm -rf "$build/profile" "$build/probe.html"

((failed)) && { echo "the report FAILED"; exit 1; }
echo "the report is fine"
