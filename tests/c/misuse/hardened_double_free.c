// With HAKMEM_HARDENED=1 a second free is reported at once, whatever was freed in between.
// env: HAKMEM_HARDENED=1
// expect-signal: 6
// expect-stderr: ^hakmem: free: block is already free \(double free\) \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(100), *q = malloc(100), *r = malloc(3000);
    CHECK(p && q && r);
    free(p);
    free(q);
    free(r);
    free(p);
    _exit(0);
}
