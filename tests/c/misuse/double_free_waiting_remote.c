// A free of a block of 2 MiB by one thread that another one has just freed, and keeps for itself, is reported.
// expect-signal: 6
// expect-stderr: ^hakmem: free: not a block of this allocator, or free already \(0x[0-9a-f]+\)$
#include "check.h"

static void *other(void *p) {
    free(launder(p));
    return NULL;
}

int main(void) {
    char *p = NULL;
    for (int i = 0; i < 100; i++) {
        free(p);
        CHECK(p = malloc(2 * MIB));
    }
    pthread_t thread;
    free(p);
    CHECK(pthread_create(&thread, NULL, other, launder(p)) == 0 && pthread_join(thread, NULL) == 0);
    CHECK(!"a second free that nobody noticed");
}
