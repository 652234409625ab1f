// A program that comes to its hard limit leaves a profile whose top stack is the one to blame, also if it ends by _exit; so does one above its soft
// limit. With HAKMEM_PROF_PEAKS as many of the profiles written on the way stay. By stderr nothing is said, and errno is malloc's.
// hakmem
// env: HAKMEM_PROF=1 HAKMEM_PROF_RATE=16384
// run: command -v python3 >/dev/null || { echo "there is no python3"; exit 77; }; HAKMEM_PROF_FILE=%n.pb HAKMEM_HARD_LIMIT=96M HAKMEM_SOFT_LIMIT=24M HAKMEM_PROF_PEAKS=3 $RUN limit >said && for f in hard-limit soft-limit peak-1 peak-2 peak-3; do python3 $here/pprof.py --top culprit $f.pb <said >out || { echo $f; cat out; exit 1; }; done && [ "$(ls *.pb | wc -l)" = 5 ] && rm *.pb && HAKMEM_PROF_FILE=%n.pb $RUN >said && [ "$(ls *.pb)" = 1.pb ]
#include "check.h"
#include <hakmem.h>

#define SITE(name, result, ...) \
    extern char __start_at_##name[], __stop_at_##name[]; \
    __attribute__((noinline, section("at_" #name))) static result name(__VA_ARGS__)
#define SAY(name, size, allocated, live) \
    printf(#name " %zx %zx %zu %zu %zu\n", (size_t)__start_at_##name, (size_t)__stop_at_##name, (size_t)(size), (size_t)(allocated), (size_t)(live))

enum { MOST = 400 };
static void *kept[MOST];
static volatile int never;
SITE(culprit, void *, void) { void *block = malloc(200 * KIB); if (never) abort(); return block; }
SITE(innocent, void *, void) { void *block = malloc(64 * KIB); if (never) abort(); return block; }

int main(int argc, char **argv) {
    void *small[40];
    for (int i = 0; i < 40; i++) CHECK((small[i] = innocent()));
    for (int round = 0; round < 20; round++) {
        void *brief[400];
        for (int i = 0; i < 100; i++) CHECK((brief[i] = innocent()));
        for (int i = 0; i < 100; i++) free(brief[i]);
    }
    int count = 0;
    while (count < MOST && (errno = 0, kept[count] = culprit())) count++;
    CHECK(argc < 2 ? count == MOST : count < MOST && errno == ENOMEM);
    // Estimates are looked at elsewhere: here only whose most is.
    SAY(culprit, 200 * KIB, 0, 0), SAY(innocent, 64 * KIB, 0, 0);
    fflush(stdout);
    if (argc > 1) _exit(0);
    return 0;
}
