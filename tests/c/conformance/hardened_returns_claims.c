// With HAKMEM_HARDENED=1 what is noted of blocks goes back to the kernel with them: 128 MiB of blocks of 24 bytes have 11 MiB of it, and more
// when it is not packed. What stays is the spans' records, as in the default mode.
// env: HAKMEM_HARDENED=1
// cflags: -O1
#include "check.h"

struct link {
    struct link *next;
};

int main(void) {
    struct link *first = NULL;
    free(malloc(24));
    long before = status_kb("VmRSS:");
    for (size_t bytes = 0; bytes < 128 * MIB; bytes += 24) {
        struct link *block = malloc(24);
        CHECK(block);
        block->next = first;
        first = block;
    }
    long live = status_kb("VmRSS:");
    while (first) {
        struct link *next = first->next;
        free(first);
        first = next;
    }
    malloc_trim(0);
    long left = status_kb("VmRSS:");
    NOTE("%ld kB live, %ld left", live - before, left - before);
    CHECK(live - before < 128 * 1024 * 32 / 24 * 17 / 16 + 8 * 1024);
    CHECK(left - before < 8 * 1024);
    return 0;
}
