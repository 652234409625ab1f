// With HAKMEM_GUARD_RATE=1 blocks above a page are guarded too: one that ends at the end of its pages faults one byte past.
// env: HAKMEM_GUARD_RATE=1
// expect-signal: 11
// expect-stderr: ^hakmem: access: 0 bytes past the end of a block of 20000 bytes \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    for (int i = 0; i < 200; i++) {
        volatile char *p = malloc(20000);
        CHECK(p);
        if (((uintptr_t)p + 20000) % 65536 == 0) p[20000] = 0;
        free((void *)p);
    }
    _exit(0);
}
