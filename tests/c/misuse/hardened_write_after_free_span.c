// A write into a freed block is reported although all of its span was free, and went back to the kernel: it is looked at before.
// expect-signal: 6
// expect-stderr: ^hakmem: purge: block was written to after free \(0x[0-9a-f]+\)$
// env: HAKMEM_HARDENED=1 HAKMEM_DECAY_MS=-1
#include "check.h"

int main(void) {
    static char *blocks[2000];
    for (size_t i = 0; i < COUNT(blocks); i++) blocks[i] = memset(malloc(3000), 'x', 3000);
    char *victim = blocks[COUNT(blocks) / 2];
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
    victim[1500] = 'y';
    malloc_trim(0);
    return 0;
}
