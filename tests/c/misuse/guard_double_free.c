// A second free of a guarded block is reported at once.
// env: HAKMEM_GUARD_RATE=1 HAKMEM_HARDENED=1
// expect-signal: 6
// expect-stderr: ^hakmem: free: block is already free \(double free\) \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    void *p = malloc(500), *q = malloc(500);
    CHECK(p && q);
    free(p);
    free(q);
    free(p);
    _exit(0);
}
