// A write past the end of a guarded block that meets no closed page is found when the block is freed.
// env: HAKMEM_GUARD_RATE=1 HAKMEM_HARDENED=1
// expect-signal: 6
// expect-stderr: ^hakmem: free: block was written past its end, 50 bytes \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(50);
    CHECK(p);
    p[50] = 'y';
    free(p);
    _exit(0);
}
