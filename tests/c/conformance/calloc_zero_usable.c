// calloc's block is zero up to its usable size, not only as far as was asked for, at every size, from memory that others have
// filled to the end: a program may use what malloc_usable_size says.
#include "check.h"

static unsigned char *blocks[200];

static void fill_and_free(size_t n, size_t count) {
    for (size_t i = 0; i < count; i++) {
        CHECK(blocks[i] = malloc(n));
        memset(blocks[i], 0xA5, malloc_usable_size(blocks[i]));
    }
    for (size_t i = 0; i < count; i++) free(blocks[i]);
}

static void look(size_t n, size_t count) {
    for (size_t i = 0; i < count; i++) {
        unsigned char *p = blocks[i] = calloc(1, n);
        CHECK(p && malloc_usable_size(p) >= n && all_bytes_are(p, malloc_usable_size(p), 0));
        memset(p, 0x5A, malloc_usable_size(p));
    }
    for (size_t i = 0; i < count; i++) free(blocks[i]);
}

static void *work(void *unused) {
    for (size_t s = 0; s < COUNT(all_sizes); s++) {
        size_t n = all_sizes[s], count = n < 1024 ? COUNT(blocks) : n < 70000 ? 24 : 3;
        fill_and_free(n, count);
        look(n, count);
        look(n - n / 17, count); // not the size that was there
        look(n + n / 17, count);
        if (s % 8 == 0) malloc_trim(0);
    }
    for (size_t n = 64 * KIB; n < 4 * MIB; n += n / 8) { // in memory that was something larger before
        fill_and_free(8 * MIB, 1);
        look(n, 1);
        unsigned char *p = malloc(n);
        memset(p, 0xA5, n);
        p = realloc(p, n * 2); // and that a block grew into
        memset(p, 0xA5, malloc_usable_size(p));
        free(p);
        look(n * 2, 1);
    }
    return NULL;
}

int main(void) {
    work(NULL);
    join_thread(start_thread(work, NULL)); // a heap of another thread's, adopted or fresh
    return 0;
}
