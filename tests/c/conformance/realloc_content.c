// realloc keeps the first min(old, new) bytes between all pairs of sizes: tiny, mid and large up to 64 MiB, up and down.
// Up to 64 KiB every byte is compared.
#include "check.h"

static const size_t sizes[] = {1,       16,     17,      64,      100,      128,         129,     500,     1024,         1025,     4096,     8192,
                               20000,   65536,  65537,   100000,  262144,   1048576 - 1, 1048576, 1048577, 2 * 1048576, 5000000,  16777216, 67108864};

static unsigned char expected[65536];

int main(void) {
    for (size_t i = 0; i < sizeof expected; i++) expected[i] = (unsigned char)(i * 131 + (i >> 8));
    for (size_t from = 0; from < COUNT(sizes); from++)
        for (size_t to = 0; to < COUNT(sizes); to++) {
            size_t old = sizes[from], new = sizes[to], kept = old < new ? old : new;
            unsigned char *p = malloc(old);
            CHECK(p);
            if (old <= sizeof expected) memcpy(p, expected, old);
            else stamp(p, old, (unsigned)from);
            unsigned char *q = realloc(p, new);
            CHECK(q && aligned_to(q, 16) && malloc_usable_size(q) >= new);
            if (old <= sizeof expected) CHECK(memcmp(q, expected, kept) == 0);
            else CHECK(stamped_up_to(q, old, (unsigned)from, kept));
            stamp(q, new, 99); // the whole new block is writable
            CHECK(stamped(q, new, 99));
            free(q);
        }
    return 0;
}
