// With HAKMEM_TRACE=1 a report shows the stacks of the allocation and the free, as module+0xoffset.
// env: HAKMEM_HARDENED=1 HAKMEM_TRACE=1
// expect-signal: 6
// expect-stderr: ^hakmem: free: block is already free \(double free\) \(0x[0-9a-f]+\)$
// expect-stderr: ^  here:$
// expect-stderr: ^  allocated:$
// expect-stderr: ^  freed:$
// expect-stderr-any: ^    .*/trace_hardened\+0x[0-9a-f]+$
#include "check.h"

int main(void) {
    void *p = malloc(100), *q = malloc(100);
    CHECK(p && q);
    free(p);
    free(q);
    free(p);
    _exit(0);
}
