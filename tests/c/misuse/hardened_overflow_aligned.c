// With HAKMEM_HARDENED=1 a byte far past the end of an aligned block is reported: all of what is behind it is watched.
// env: HAKMEM_HARDENED=1
// expect-signal: 6
// expect-stderr: ^hakmem: free: block was written past its end, 1000 bytes \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = aligned_alloc(4096, 1000);
    CHECK(p && (uintptr_t)p % 4096 == 0);
    p[4095] = 1;
    free(p);
    _exit(0);
}
