// With HAKMEM_HARDENED=1 there is a page behind a large block that nobody can touch.
// env: HAKMEM_HARDENED=1
// expect-signal: 11
#include "check.h"

int main(void) {
    char *p = malloc(200000);
    CHECK(p);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    p[(200000 + page - 1) / page * page] = 1;
    _exit(0);
}
