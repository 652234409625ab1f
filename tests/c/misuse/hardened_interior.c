// With HAKMEM_HARDENED=1 a free of a pointer into a block is reported at once.
// env: HAKMEM_HARDENED=1
// expect-signal: 6
// expect-stderr: ^hakmem: free: pointer into a block, not to its start \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(300);
    CHECK(p);
    free(p + 16);
    _exit(0);
}
