// With HAKMEM_GUARD_RATE=1 some blocks end at the end of their page: one byte past faults.
// env: HAKMEM_GUARD_RATE=1 HAKMEM_HARDENED=1
// expect-signal: 11
// expect-stderr: ^hakmem: access: 0 bytes past the end of a block of 64 bytes \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    for (int i = 0; i < 200; i++) {
        char *p = malloc(64);
        CHECK(p);
        if (((uintptr_t)p + 64) % 4096 == 0) p[64] = 0;
    }
    _exit(0);
}
