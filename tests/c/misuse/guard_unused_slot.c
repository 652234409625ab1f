// An access to a page of the guarded region that never held a block is not said to be one to a block of 0 bytes.
// env: HAKMEM_GUARD_RATE=1
// expect-signal: 11
// expect-stderr: ^hakmem: access: between guarded blocks \(0x[0-9a-f]+\)$
#include "check.h"

int main(void) {
    char *p = malloc(40);
    CHECK(p);
    *(volatile char *)(p + 100 * sysconf(_SC_PAGESIZE)) = 1;
    return 0;
}
