// With HAKMEM_HARDENED=1 a freed large block is closed: using it faults.
// env: HAKMEM_HARDENED=1
// expect-signal: 11
#include "check.h"

int main(void) {
    char *p = malloc(200000);
    CHECK(p);
    free(p);
    free(malloc(200000));
    p[100] = 1;
    _exit(0);
}
