// A program that asks for few blocks of each of many sizes touches few pages: they share those of a few classes. What is asked for more
// often has blocks of its own size.
// env: HAKMEM_TINY_HEAP_V2=1 HAKMEM_HARDENED=0 HAKMEM_GUARD_RATE=0
#include "check.h"
#include <malloc.h>
#include <sys/resource.h>

enum { SIZES = 36, LARGEST = 4096, MANY = 100 };

static long faults(void) {
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_minflt;
}

int main(void) {
    static char *blocks[SIZES];
    long before = faults();
    for (size_t i = 0; i < SIZES; i++) {
        size_t size = LARGEST * (i + 1) / SIZES;
        CHECK(blocks[i] = malloc(size));
        memset(blocks[i], (int)i, size);
    }
    long few = faults() - before;
    for (size_t i = 0; i < SIZES; i++) CHECK(all_bytes_are(blocks[i], LARGEST * (i + 1) / SIZES, (unsigned char)i));
    printf("note: %ld page faults for a block of each of %d sizes\n", few, SIZES);
    CHECK(few <= 64);
    for (size_t size = 1; size <= LARGEST; size += 61) {
        size_t last = 0;
        for (int i = 0; i < MANY; i++) {
            char *p = malloc(size);
            CHECK(p);
            last = malloc_usable_size(p);
        }
        CHECK(last >= size && last - size <= size / 4 + 15);
    }
    return 0;
}
