// The same in the light form, which looks at the middle of a block at no other time. A SuperSlab that nobody uses is unmapped at once, but not this one.
// expect-signal: 6
// expect-stderr: ^hakmem: purge: block was written to after free \(0x[0-9a-f]+\)$
// env: HAKMEM_HARDENED=light HAKMEM_DECAY_MS=-1 HAKMEM_SUPERSLAB_CACHE=0
#include "check.h"

int main(void) {
    static char *blocks[2000];
    for (size_t i = 0; i < COUNT(blocks); i++) blocks[i] = memset(malloc(3000), 'x', 3000);
    for (size_t i = 0; i < COUNT(blocks); i++) {
        free(blocks[i]);
        if (i == COUNT(blocks) / 2) blocks[i][1500] = 'y';
    }
    malloc_trim(0);
    return 0;
}
