// A page that was written to after its blocks were freed does not go back to the kernel, for then nobody would find it out.
// expect-signal: 6
// expect-stderr: ^hakmem: malloc: block was written to after free, [0-9]+ bytes \(0x[0-9a-f]+\)$
// env: HAKMEM_HARDENED=1
#include "check.h"

int main(void) {
    static char *blocks[2000];
    for (size_t i = 0; i < COUNT(blocks); i++) blocks[i] = memset(malloc(3000), 'x', 3000);
    // Of each span some stay, so that it does not go back as a whole.
    for (size_t i = 0; i < COUNT(blocks); i++)
        if (i % 50) free(blocks[i]);
    blocks[COUNT(blocks) / 2 + 1][1500] = 'y';
    malloc_trim(0);
    for (size_t i = 0; i < COUNT(blocks); i++) CHECK(malloc(3000));
    return 0;
}
