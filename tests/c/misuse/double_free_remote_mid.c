// Two frees of a mid block (8192 bytes) by a thread that did not allocate it are reported.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

static void *free_twice(void *p) {
    free(p);
    free(malloc(100)); // a thread that works on
    free(launder(p));
    return NULL;
}

int main(void) {
    char *p = malloc(8192);
    CHECK(p);
    join_thread(start_thread(free_twice, p));
    flush_everything(8192);
}
