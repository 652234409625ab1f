// What is live at exit is listed, the most first; what grew between two profiles is what pprof shows of their difference. Go's pprof, if it is there,
// names the functions, in a profile and in the difference, and knows all kinds of values and the labels.
// hakmem
// env: HAKMEM_PROF=1 HAKMEM_PROF_RATE=16384
// run: HAKMEM_PROF_FILE=leaks.txt $RUN && head -1 leaks.txt | grep -qE '^[0-9]{8} bytes in [0-9]{3} blocks live, of 3 stacks; a sample each 16384 bytes$' && at=$(sed -n 's/^    prof_leaks+//p' leaks.txt | head -1) && { ! command -v addr2line >/dev/null || addr2line -fe $BIN $at | grep -qx steady; } || { cat leaks.txt; exit 1; }; command -v go >/dev/null || { echo "note: there is no go"; exit 0; }; export HOME=$TMP PPROF_TMPDIR=$TMP; p() { go tool pprof "$@" $BIN second.pb 2>/dev/null | sed '1,/flat%/d' | head -1 | grep -q "$WHO"; }; WHO=steady p -top && WHO=grows p -top -diff_base=first.pb && WHO=brief p -top -alloc_space && WHO=steady p -top -sample_index=peak_objects && WHO=brief p -top -alloc_space -tagfocus=lifetime=:100ms && WHO=grows p -top -focus=grows && go tool pprof -tags $BIN second.pb 2>/dev/null | grep -q thread:
#include "check.h"
#include <hakmem.h>

static void *kept[2][1000];
static volatile int never;
#define BLOCK(bytes) void *block = malloc(bytes); CHECK(block || never); return block
__attribute__((noinline)) static void *steady(void) { BLOCK(50000); }
__attribute__((noinline)) static void *grows(void) { BLOCK(40000); }
__attribute__((noinline)) static void *brief(void) { BLOCK(30000); }
__attribute__((noinline)) static void make_brief(int count) {
    for (int i = 0; i < count; i++) {
        void *block = brief();
        free(block);
    }
}

int main(void) {
    for (int i = 0; i < 500; i++) kept[0][i] = steady();
    for (int i = 0; i < 50; i++) kept[1][i] = grows();
    CHECK(hak_prof_dump("first.pb") == 0);
    for (int i = 50; i < 200; i++) kept[1][i] = grows();
    make_brief(5000);
    CHECK(hak_prof_dump("second.pb") == 0);
    return 0;
}
