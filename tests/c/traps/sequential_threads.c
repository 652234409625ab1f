// 2,000 threads one after the other each leave ten blocks alive: memory stays near what is alive (10 MB), since every
// thread works on in its predecessors' memory, and all of it can be freed at the end.
#include "check.h"

static void *left[2000][10];

static void *work(void *index) {
    static void *more[400];
    Random random = {(size_t)index + 1};
    for (size_t i = 0; i < COUNT(more); i++) CHECK(more[i] = malloc(random_between(&random, 1, 4000)));
    for (size_t i = 0; i < 10; i++) {
        CHECK(left[(size_t)index][i] = malloc(i * 100 + 16));
        stamp(left[(size_t)index][i], i * 100 + 16, (unsigned)i);
    }
    for (size_t i = 0; i < COUNT(more); i++) free(more[i]);
    return NULL;
}

int main(void) {
    for (size_t i = 0; i < COUNT(left); i++) join_thread(start_thread(work, (void *)i));
    NOTE("RSS %ld MB with 10 live", rss_mb());
    CHECK(rss_mb() < 60);
    for (size_t i = 0; i < COUNT(left); i++)
        for (size_t j = 0; j < 10; j++) {
            CHECK(stamped(left[i][j], j * 100 + 16, (unsigned)j));
            free(left[i][j]);
        }
    return 0;
}
