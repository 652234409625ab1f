// With HAKMEM_GUARD_RATE=1 some blocks start at the start of their page: one byte before faults.
// env: HAKMEM_GUARD_RATE=1 HAKMEM_HARDENED=1
// expect-signal: 11
// expect-stderr: ^hakmem: access: 1 bytes before a block of 50 bytes \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    for (int i = 0; i < 200; i++) {
        char *p = malloc(50);
        CHECK(p);
        if ((uintptr_t)p % 4096 == 0) p[-1] = 0;
    }
    _exit(0);
}
