// In the baseline a free block's link, read and written into another free block, leads nowhere: each is good in its own place only.
// env: HAKMEM_TINY_HEAP_V2=0 HAKMEM_HARDENED=0 HAKMEM_GUARD_RATE=0
// expect-signal: 6
// expect-stderr: ^hakmem: free: block was written to after free, 48 bytes \(0x[0-9a-f]+\)$
#include "check.h"

static char *blocks[200];

int main(void) {
    for (size_t i = 0; i < COUNT(blocks); i++) CHECK(blocks[i] = malloc(48));
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
    size_t links[8];
    for (int i = 0; i < 8; i++) {
        links[i] = *(volatile size_t *)blocks[100 + i];
        CHECK(links[i] != (size_t)blocks[99 + i]);
    }
    *(volatile size_t *)blocks[120] = links[3];
    // As many frees as empty the list into its spans.
    for (int i = 0; i < 2000; i++) {
        void *p = malloc(600);
        void *q = malloc(48);
        free(p);
        free(q);
    }
    return 0;
}
