// With HAKMEM_GUARD_RATE aligned blocks that are not guarded come from the magazine: they don't each take a span.
// env: HAKMEM_HARDENED=0 HAKMEM_GUARD_RATE=1000000
#include "check.h"

int main(void) {
    free(aligned_alloc(64, 64));
    long before = status_kb("VmSize:");
    for (int i = 0; i < 20000; i++) {
        void *p = aligned_alloc(64, 64);
        CHECK(p && aligned_to(p, 64));
        free(p);
    }
    CHECK(status_kb("VmSize:") < before + 8192);
    static void *blocks[20000];
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK(blocks[i] = aligned_alloc(64, 64));
        stamp(blocks[i], 64, (unsigned)i);
    }
    CHECK(status_kb("VmSize:") < before + 16384);
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK(stamped(blocks[i], 64, (unsigned)i));
        free(blocks[i]);
    }
    return 0;
}
