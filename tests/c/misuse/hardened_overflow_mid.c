// With HAKMEM_HARDENED=1 one byte, one past a block of 5000 bytes, is reported when the block is freed.
// env: HAKMEM_HARDENED=1
// expect-signal: 6
// expect-stderr: ^hakmem: free: block was written past its end, 5000 bytes \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(5000);
    CHECK(p);
    memset(p, 'x', 5000);
    p[5000] = 'y';
    free(p);
    _exit(0);
}
