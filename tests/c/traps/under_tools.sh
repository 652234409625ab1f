# Run by under_tools.c's test: the program under each tool, the library preloaded into it.
set -eu
program=$1 tools=
works() { # NAME COMMAND…: a tool that can't even run `true` is passed over
    command -v "$1" >/dev/null && "$@" >/dev/null 2>&1
}
if works gdb -nx -batch -ex run --args /bin/true && gdb -nx -batch -ex run --args /bin/true 2>&1 | grep -q 'exited normally'; then
    gdb -nx -batch -ex 'set debuginfod enabled off' -ex "set environment LD_PRELOAD $LIB" -ex 'set startup-with-shell off' \
        -ex 'break reached' -ex run -ex 'print hak_version' -ex 'break malloc' -ex 'bt 3' -ex 'delete' -ex continue "$program" >gdb.out 2>&1
    grep -q 'exited normally' gdb.out && grep -q 'in work' gdb.out || { cat gdb.out >&2; exit 1; }
    grep -q 'hak_version' gdb.out || { cat gdb.out >&2; exit 1; }
    tools="$tools gdb"
fi
if works strace -o /dev/null true; then
    strace -f -o strace.out -E LD_PRELOAD="$LIB" "$program"
    grep -q libhakmem strace.out && grep -q 'exited with 0' strace.out
    tools="$tools strace"
fi
if works perf record -o true.data true; then
    LD_PRELOAD=$LIB perf record -q -g -o perf.data "$program" >/dev/null 2>perf.err
    perf report -i perf.data --stdio >perf.out 2>/dev/null
    tools="$tools perf"
fi
[ -n "$tools" ] || { echo "no tool is installed and permitted"; exit 77; }
echo "note:$tools"
