// With HAKMEM_TRACE=1 the report of a faulting access shows three stacks, in a thread as well.
// env: HAKMEM_GUARD_RATE=1 HAKMEM_TRACE=1
// expect-signal: 11
// expect-stderr: ^hakmem: access: use after free, at byte 5 of a freed block of 80 bytes \(0x[0-9a-f]+\)$
// expect-stderr: ^  here:$
// expect-stderr: ^  allocated:$
// expect-stderr: ^  freed:$
// expect-stderr-any: ^    .*/trace_guard\+0x[0-9a-f]+$
#include "check.h"

static void *body(void *unused) {
    volatile char *p = malloc(80);
    CHECK(p);
    free((void *)p);
    p[5] = 1;
    return unused;
}

int main(void) {
    join_thread(start_thread(body, NULL));
    return 0;
}
