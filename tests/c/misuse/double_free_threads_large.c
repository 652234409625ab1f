// A free of a large block (1048576 bytes) that another thread has already freed, and ended since, is reported.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

static void *free_it(void *p) {
    free(p);
    return NULL;
}

int main(void) {
    char *p = malloc(1048576);
    CHECK(p);
    join_thread(start_thread(free_it, p));
    free(launder(p));
    flush_everything(1048576);
}
