// With HAKMEM_HARDENED=1 a write into a freed block of 100 bytes is reported before the block is handed out again.
// env: HAKMEM_HARDENED=1
// expect-signal: 6
// expect-stderr: ^hakmem: malloc: block was written to after free, [0-9]+ bytes \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(100);
    CHECK(p);
    free(p);
    p[100 - 20] = 1;
    for (int i = 0; i < 100000; i++) free(malloc(100));
    _exit(0);
}
