// malloc_trim gives back what other threads and the caller have freed: 200 MB of 500-byte blocks, then under 40 MB.
// (mimalloc, jemalloc, gperftools, snmalloc, rpmalloc and hz3 do nothing: mimalloc 333 asks for it.)
// cflags: -O1
#include "check.h"

static void *blocks[2][200000];

static void *fill(void *row) {
    for (size_t i = 0; i < COUNT(blocks[0]); i++) memset(blocks[(size_t)row][i] = malloc(500), 1, 500);
    return NULL;
}
static void *empty(void *row) {
    for (size_t i = 0; i < COUNT(blocks[0]); i++) free(blocks[(size_t)row][i]);
    return NULL;
}

int main(void) {
    pthread_t other = start_thread(fill, (void *)1);
    fill((void *)0);
    join_thread(other);
    CHECK(rss_mb() > 180);
    other = start_thread(empty, (void *)1);
    empty((void *)0);
    join_thread(other);
    malloc_trim(0);
    NOTE("RSS %ld MB", rss_mb());
    CHECK(rss_mb() < 40);
    CHECK(malloc_trim(0) == 0 || malloc_trim(0) == 0); // nothing is left to trim in the end
    return 0;
}
