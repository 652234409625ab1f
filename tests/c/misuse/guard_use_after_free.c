// With HAKMEM_GUARD_RATE=1 a use after free of a guarded block faults, and the report says where in the block.
// env: HAKMEM_GUARD_RATE=1
// expect-signal: 11
// expect-stderr: ^hakmem: access: use after free, at byte 10 of a freed block of 600 bytes \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    volatile char *p = malloc(600);
    CHECK(p);
    p[10] = 1;
    free((void *)p);
    free(malloc(600));
    return p[10];
}
