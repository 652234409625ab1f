#!/usr/bin/env bash
# Do the loom models notice? Each mutant weakens one ordering or drops one step in a copy of the lock-free code; a model of
# that box must then fail. A mutant whose text is no longer in the source, or that does not compile, fails the check too.
set -euo pipefail
cd "$(dirname "$0")/.."

# A build takes seconds, a model that fails mostly none: so each build carries several mutants, none of which a model of another
# one runs through (`runs` in mutants.sh). ONLY=PATTERN: those of these models, which are then not run without a mutation. ALONE=1: one mutant a build, which shows whether that table is right.
# Two at once, each of which takes the next build that nobody has taken: one keeps one processor busy.
# Without optimisation a build takes a seventh, and what fails fails no later.
settings=(--config profile.dev.package.hakmem-loom.opt-level=0)
if [ -z "${HALF:-}" ]; then
    taken=$(mktemp -d)
    trap 'rm -rf "$taken"' EXIT
    export taken
    cargo test --quiet --manifest-path tests/loom/Cargo.toml --target-dir target/loom --no-run 2>/dev/null || true # what check_loom.sh built of loom serves here, too
    HALF=1 scripts/check_mutations.sh >"$taken/other" 2>&1 &
    status=0
    HALF=0 scripts/check_mutations.sh || status=$?
    wait $! || status=$?
    cat "$taken/other"
    exit "$status"
fi

target=${CARGO_TARGET_DIR:-$PWD/target}/mutations$HALF # not that of check_loom.sh: cargo would take a mutant for the source
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tests"
[ -d "$target" ] || cp -a target/loom "$target"
passed=0 failed=0

copy() {
    rm -rf "$work/src" "$work/tests/loom"
    cp -r src "$work/src"
    cp -r tests/loom "$work/tests/loom"
}

models() { # ARGUMENTS of cargo test
    RUST_BACKTRACE=0 timeout "${LIMIT:-120}" cargo test --quiet --manifest-path "$work/tests/loom/Cargo.toml" --target-dir "$target" \
        "${settings[@]}" --test models "$@" >"$work/log" 2>&1
}

verdict() { # ok|FAILED TEXT
    echo "$1 $2"
    if [ "$1" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

meets() { # MODELS FILE: do they run through it?
    local pattern
    for pattern in ${runs[$1]}; do
        # shellcheck disable=SC2053 # a pattern
        [[ $2 != $pattern ]] || return 0
    done
    return 1
}

# See mutants.sh. The first build that has room for it takes it.
files=() wheres=() whats=() olds=() news=() names=() builds=()
mutant() {
    # shellcheck disable=SC2053 # a pattern
    [[ $models == ${ONLY:-*} ]] || return 0
    local me=${#files[@]} build other
    files+=("$1") wheres+=("$2") whats+=("$1: $3") olds+=("$4") news+=("$5") names+=("$models")
    meets "$models" "$1" || { echo "$1 is not among what the models of $models run through"; exit 1; }
    for build in "${!builds[@]}" ${#builds[@]}; do
        for other in ${builds[build]-}; do
            [ -z "${ALONE:-}" ] || continue 2
            ! meets "$models" "${files[other]}" && ! meets "${names[other]}" "$1" || continue 2
        done
        builds[build]+=" $me"
        return
    done
}

change() { # NUMBER: the mutant's text
    python3 - "$work/src/${files[$1]}" "${wheres[$1]}" "${olds[$1]}" "${news[$1]}" <<'PYTHON'
import sys
path, where, old, new = sys.argv[1:]
text = open(path).read()
start = 0 if where == "*" else text.find(where)
at = text.find(old, start)
if start < 0 or at < 0:
    sys.exit(1)
open(path, "w").write(text[:at] + text[at:].replace(old, new, -1 if where == "*" else 1))
PYTHON
}

try() { # NUMBERS of the mutants of one build
    local me what status tests changed=()
    copy
    for me in "$@"; do
        if change "$me"; then changed+=("$me"); else verdict FAILED "${whats[me]}: the source no longer reads so"; fi
    done
    if ! models --no-run; then
        # Whose fault is it? Each by itself then.
        if [ $# -gt 1 ]; then
            for me in "${changed[@]}"; do try "$me"; done
        else
            verdict FAILED "${whats[$1]}: does not compile"
            tail -n 20 "$work/log"
        fi
        return
    fi
    for me in "${changed[@]}"; do
        what=${whats[me]} status=0
        mapfile -t tests < <(grep -oE "^ +${names[me]}_[a-z_0-9]+$" tests/loom/tests/models.rs)
        [ ${#tests[@]} -gt 0 ] || { verdict FAILED "$what: there is no model of ${names[me]}"; continue; }
        # shellcheck disable=SC2068 # their blanks go
        FIRST=1 models -- --exact ${tests[@]} || status=$?
        case $status in
        0) verdict FAILED "$what survives" ;;
        124) verdict FAILED "$what: no answer within ${LIMIT:-120} s" ;;
        *) verdict ok "$what is caught" ;;
        esac
    done
}

if [ "$HALF" = 0 ] && [ -z "${ONLY:-}" ] && ! scripts/check_loom.sh >"$work/log" 2>&1; then
    tail -n 30 "$work/log"
    echo "the models fail without any mutation"
    exit 1
fi

# shellcheck source=scripts/mutants.sh
. scripts/mutants.sh

for build in "${!builds[@]}"; do
    # shellcheck disable=SC2086 # several numbers
    ! mkdir "$taken/$build" 2>/dev/null || try ${builds[build]}
done
echo "$passed passed, $failed failed"
exit $((failed > 0))
