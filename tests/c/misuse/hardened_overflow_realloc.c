// With HAKMEM_HARDENED=1 realloc finds that the block was written past its end.
// env: HAKMEM_HARDENED=1
// expect-signal: 6
// expect-stderr: ^hakmem: realloc: block was written past its end, 40 bytes \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(40);
    CHECK(p);
    memset(p, 'x', 41);
    p = realloc(p, 41);
    _exit(0);
}
