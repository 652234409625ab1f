// Blocks longer than a page that others freed go out again before pages are touched that never were: a refill brings few of those.
// run: env -u HAKMEM_HARDENED -u HAKMEM_GUARD_RATE $RUN
#include "check.h"
#include <pthread.h>

enum { SIZE = 9000, ROUNDS = 12, EACH = 2 };

static void *free_them(void *blocks) {
    for (int i = 0; i < EACH; i++) free(((char **)blocks)[i]);
    return NULL;
}

int main(void) {
    char *seen[ROUNDS * EACH];
    size_t count = 0;
    for (int round = 0; round < ROUNDS; round++) {
        char *blocks[EACH];
        for (int i = 0; i < EACH; i++) {
            CHECK(blocks[i] = malloc(SIZE));
            stamp(blocks[i], SIZE, (unsigned)round);
            size_t at = 0;
            while (at < count && seen[at] != blocks[i]) at++;
            if (at == count) seen[count++] = blocks[i];
        }
        pthread_t other;
        CHECK(pthread_create(&other, NULL, free_them, blocks) == 0);
        CHECK(pthread_join(other, NULL) == 0);
    }
    NOTE("%zu places", count);
    CHECK(count <= 3 * EACH);
    return 0;
}
