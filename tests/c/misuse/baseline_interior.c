// In the baseline a pointer into a block is reported when it is freed, not kept in the cache and handed out again.
// env: HAKMEM_TINY_HEAP_V2=0 HAKMEM_HARDENED=0 HAKMEM_GUARD_RATE=0
// expect-signal: 6
// expect-stderr: ^hakmem: free: pointer into a block, not to its start \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(100);
    CHECK(p);
    free(launder(p + 16));
    CHECK(malloc(100) != p + 16);
    _exit(0);
}
