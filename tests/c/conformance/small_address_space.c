// ls and true run in 16 MiB of address space. (jemalloc needs 17, mimalloc 8 or 35, snmalloc and hz3 more than 64 GiB.)
// run: ulimit -v $((16384 + (${HAKMEM_GUARD_RATE:-0} > 0 ? 4096 : 0))); env LD_PRELOAD="$LIB" /bin/true && env LD_PRELOAD="$LIB" /bin/ls -l / >out && [ -s out ] && $RUN
#include "check.h"

int main(void) {
    for (size_t n = 0; n <= 70000; n += 100) {
        void *p = malloc(n);
        CHECK(p);
        stamp(p, n, 1);
        free(p);
    }
    return 0;
}
