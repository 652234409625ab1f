// A second free of a block whose owner thread has ended is reported.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

static void *make(void *unused) {
    return malloc(200);
}

int main(void) {
    pthread_t thread = start_thread(make, NULL);
    void *p = NULL;
    CHECK(pthread_join(thread, &p) == 0 && p);
    free(p);
    free(launder(p));
    flush_everything(200);
}
