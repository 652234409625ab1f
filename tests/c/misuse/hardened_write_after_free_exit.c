// With HAKMEM_HARDENED=1 a write into a freed block that is never handed out again is reported when the process ends.
// env: HAKMEM_HARDENED=1
// expect-signal: 6
// expect-stderr: ^hakmem: exit: block was written to after free, [0-9]+ bytes \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(300);
    CHECK(p);
    free(p);
    p[299] = 'y';
    return 0;
}
