// When the kernel says that memory is short, a profile is written whose top stack is the one to blame; when it does not, none. The kernel's file is the
// test's, in a mount namespace of its own, in which there is no control group: its pressure may be another's.
// hakmem
// env: HAKMEM_PROF=1 HAKMEM_PROF_RATE=16384 HAKMEM_PRESSURE=always HAKMEM_DECAY_MS=20
// run: command -v python3 >/dev/null || { echo "there is no python3"; exit 77; }; short() { printf 'some avg10=%s avg60=0.00 avg300=0.00 total=1\n' $1 > stall; unshare -m sh -c 'mount --bind stall /proc/pressure/memory 2>/dev/null && mount -t tmpfs none /sys/fs/cgroup || exit 77; exec env HAKMEM_PROF_FILE=%n.pb "$@"' - $RUN; }; unshare -m true 2>/dev/null && [ -e /proc/pressure/memory ] || { echo "no mount namespace, or no /proc/pressure"; exit 77; }; short 99.00 >said || exit $?; python3 $here/pprof.py --top culprit pressure.pb <said >out || { cat out; exit 1; }; rm *.pb; short 0.50 >said && [ "$(ls *.pb)" = 1.pb ] || { ls; exit 1; }
#include "check.h"
#include <hakmem.h>
#include <time.h>

#define SITE(name, result, ...) \
    extern char __start_at_##name[], __stop_at_##name[]; \
    __attribute__((noinline, section("at_" #name))) static result name(__VA_ARGS__)
#define SAY(name, size, allocated, live) \
    printf(#name " %zx %zx %zu %zu %zu\n", (size_t)__start_at_##name, (size_t)__stop_at_##name, (size_t)(size), (size_t)(allocated), (size_t)(live))

static void *kept[100];
static volatile int never;
SITE(culprit, void *, void) { void *block = malloc(200 * KIB); if (never) abort(); return block; }
SITE(innocent, void *, void) { void *block = malloc(64 * KIB); if (never) abort(); return block; }

int main(void) {
    for (int i = 0; i < 100; i++) CHECK((kept[i] = culprit()));
    // Some periods of decay, in which a busy program comes by the slow paths.
    struct timespec rest = {0, 2 * 1000 * 1000};
    for (int round = 0; round < 100; round++) {
        void *brief[40];
        for (int i = 0; i < 40; i++) CHECK((brief[i] = innocent()));
        for (int i = 0; i < 40; i++) free(brief[i]);
        nanosleep(&rest, NULL);
    }
    SAY(culprit, 200 * KIB, 0, 0), SAY(innocent, 64 * KIB, 0, 0);
    return 0;
}
