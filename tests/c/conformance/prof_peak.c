// What was live when most was is in the profile after it has gone, by stack; and how old what was freed had become.
// hakmem
// env: HAKMEM_PROF=1 HAKMEM_PROF_RATE=4096
// run: command -v python3 >/dev/null || { echo "there is no python3"; exit 77; }; HAKMEM_PROF_FILE=p.pb $RUN >said && python3 $here/pprof.py p.pb <said >out || { cat out; exit 1; }
#include "check.h"
#include <hakmem.h>

#define SITE(name, result, ...) \
    extern char __start_at_##name[], __stop_at_##name[]; \
    __attribute__((noinline, section("at_" #name))) static result name(__VA_ARGS__)
// Peak: blocks. Age: the bound below which those were that were freed, in milliseconds.
#define SAY(name, size, allocated, live, peak, age) \
    printf(#name " %zx %zx %zu %zu %zu %zu %zu\n", (size_t)__start_at_##name, (size_t)__stop_at_##name, (size_t)(size), \
           (size_t)(allocated), (size_t)(live), (size_t)(peak), (size_t)(age))

enum { BLOCKS = 4000 };
static void *kept[BLOCKS];
static volatile int never;
#define BLOCK(bytes) void *block = malloc(bytes); CHECK(block || never); return block
SITE(held, void *, void) { BLOCK(2000); }
SITE(brief, void *, void) { BLOCK(3000); }
SITE(late, void *, void) { BLOCK(1000); }

int main(int argc, char **argv) {
    for (int i = 0; i < BLOCKS; i++) kept[i] = held();
    for (int i = 0; i < BLOCKS; i++) {
        void *block = brief();
        free(block);
    }
    sleep_ms(200);
    for (int i = 0; i < BLOCKS; i++) free(kept[i]);
    for (int i = 0; i < BLOCKS / 4; i++) kept[i] = late();
    SAY(held, 2000, BLOCKS, 0, BLOCKS, 1000), SAY(brief, 3000, BLOCKS, 0, 0, 100), SAY(late, 1000, BLOCKS / 4, BLOCKS / 4, 0, 0);
    return 0;
}
