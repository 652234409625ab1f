// The baseline links free blocks through themselves: who writes an address into one gets no block there, but a report.
// env: HAKMEM_TINY_HEAP_V2=0 HAKMEM_HARDENED=0 HAKMEM_GUARD_RATE=0
// expect-signal: 6
// expect-stderr: ^hakmem: malloc: block was written to after free, 64 bytes \(0x[0-9a-f]+\)$
#include "check.h"

static char *blocks[200];
static _Alignas(64) char target[4096];

int main(void) {
    for (size_t i = 0; i < COUNT(blocks); i++) CHECK(blocks[i] = malloc(64));
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
    // The first of them fill the cache, the last is the list's head.
    *(void *volatile *)blocks[COUNT(blocks) - 2] = target;
    for (size_t i = 0; i < COUNT(blocks); i++) {
        char *p = malloc(64);
        CHECK(p < target || p >= target + sizeof target);
    }
    return 0;
}
