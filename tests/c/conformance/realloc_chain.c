// One block walked through 3000 random sizes by realloc beside live neighbours: its bytes and theirs survive every step.
#include "check.h"

int main(void) {
    Random random = {3};
    static unsigned char *neighbours[64];
    static size_t lengths[64];
    size_t size = 1;
    unsigned char *p = malloc(size);
    stamp(p, size, 0);
    for (unsigned step = 0; step < 3000; step++) {
        size_t i = step % COUNT(neighbours);
        CHECK(!neighbours[i] || stamped(neighbours[i], lengths[i], (unsigned)i));
        free(neighbours[i]);
        lengths[i] = random_between(&random, 1, (size_t)1 << random_between(&random, 4, 18));
        CHECK(neighbours[i] = malloc(lengths[i]));
        stamp(neighbours[i], lengths[i], (unsigned)i);
        size_t next = random_between(&random, 1, (size_t)1 << random_between(&random, 3, 22));
        unsigned char *q = realloc(p, next);
        CHECK(q && stamped_up_to(q, size, step, next));
        p = q;
        size = next;
        stamp(p, size, step + 1);
    }
    return 0;
}
