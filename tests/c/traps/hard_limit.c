// HAKMEM_HARD_LIMIT: requests above it give NULL with ENOMEM, in small blocks and large, at realloc (the old block stays whole)
// and in threads at once; what is resident never passes it; after frees all is served again; free memory never stands in the way.
// env: HAKMEM_HARD_LIMIT=64M
// cflags: -O1
#include "check.h"

enum { LIMIT_MB = 64 };
static long base_mb;

struct link {
    struct link *next;
};
static pthread_barrier_t started; // a thread can't be had while others hold all that there may be

// Takes blocks of `size` until there are no more, and frees them. Returns how much that was. `alone`: nobody frees any meanwhile.
static size_t fill(size_t size, int alone) {
    struct link *first = NULL, *block;
    size_t bytes = 0;
    errno = 0;
    while ((block = malloc(size))) {
        memset(block, 1, size);
        block->next = first;
        first = block;
        bytes += size;
        CHECK(bytes < LIMIT_MB * MIB);
    }
    CHECK(errno == ENOMEM);
    if (alone) CHECK(calloc(1, 32 * MIB) == NULL && memalign(4096, 32 * MIB) == NULL);
    CHECK(peak_mb() <= base_mb + LIMIT_MB);
    while (first) {
        block = first->next;
        free(first);
        first = block;
    }
    return bytes;
}
static void *fill_in_thread(void *size) {
    pthread_barrier_wait(&started);
    for (int round = 0; round < 3; round++) fill((size_t)size, 0);
    return NULL;
}

int main(void) {
    if (is_full()) SKIP("hardened in full, claims of what was there and closed pages count, too");
    base_mb = rss_mb() + 1;
    static const size_t sizes[] = {16, 100, 1000, 5000, 65536, 100000, 1000000, 3000000, 500};
    for (size_t i = 0; i < COUNT(sizes); i++) { // each needs what the one before left free
        size_t bytes = fill(sizes[i], 1);
        put_line(1, "note: %zu bytes in blocks of %zu\n", bytes, sizes[i]);
        // Blocks of 100000 take two slots each; hardened those of 16 bytes 32.
        CHECK(bytes > (is_hardened() ? 25 : 45) * MIB);
    }

    unsigned char *p = NULL, *q;
    size_t n;
    for (n = MIB; (q = realloc(p, n)); n += MIB) stamp(p = q, n, 1);
    CHECK(errno == ENOMEM && n > (is_hardened() ? 20 : 40) * MIB && stamped(p, n - MIB, 1));
    CHECK(malloc_usable_size(p) >= n - MIB);
    CHECK(p = realloc(p, 10 * MIB));
    CHECK(stamped_up_to(p, n - MIB, 1, 10 * MIB));
    free(p);

    pthread_t threads[4];
    CHECK(pthread_barrier_init(&started, NULL, COUNT(threads)) == 0);
    for (size_t i = 0; i < COUNT(threads); i++) threads[i] = start_thread(fill_in_thread, (void *)(i * 700 + 50));
    for (size_t i = 0; i < COUNT(threads); i++) join_thread(threads[i]);
    CHECK(fill(100, 1) > 50 * MIB);
    use_sizes_up_to(10 * MIB, 3);
    return 0;
}
