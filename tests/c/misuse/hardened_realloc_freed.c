// With HAKMEM_HARDENED=1 realloc of a freed block is reported at once.
// env: HAKMEM_HARDENED=1
// expect-signal: 6
// expect-stderr: ^hakmem: realloc: not a block of this allocator, or free already \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(300);
    CHECK(p);
    free(p);
    p = realloc(p, 310);
    _exit(0);
}
