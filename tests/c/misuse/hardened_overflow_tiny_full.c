// With HAKMEM_HARDENED=1 one byte, one past a block of 56 bytes, is reported when the block is freed.
// env: HAKMEM_HARDENED=1
// expect-signal: 6
// expect-stderr: ^hakmem: free: block was written past its end, 56 bytes \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(56);
    CHECK(p);
    memset(p, 'x', 56);
    p[56] = 'y';
    free(p);
    _exit(0);
}
