// Before a page goes back to the kernel it is looked at: what was written there after its blocks were freed nobody would find out any more.
// expect-signal: 6
// expect-stderr: ^hakmem: (purge|malloc): block was written to after free(, [0-9]+ bytes)? \(0x[0-9a-f]+\)$
// env: HAKMEM_HARDENED=1 HAKMEM_DECAY_MS=-1
// (The block may be one that malloc_trim leaves at hand: then malloc reports it.)
#include "check.h"

static char *blocks[2000];

// Whether of those that stay none lies in the page of this byte.
static int goes(const char *byte) {
    for (size_t i = 0; i < COUNT(blocks); i += 50)
        if ((uintptr_t)blocks[i] / 4096 <= (uintptr_t)byte / 4096 && (uintptr_t)(blocks[i] + 2999) / 4096 >= (uintptr_t)byte / 4096) return 0;
    return 1;
}

int main(void) {
    for (size_t i = 0; i < COUNT(blocks); i++) blocks[i] = memset(malloc(3000), 'x', 3000);
    // Of each span some stay, so that it does not go back as a whole.
    for (size_t i = 0; i < COUNT(blocks); i++)
        if (i % 50) free(blocks[i]);
    size_t victim = COUNT(blocks) / 2 + 1;
    while (!goes(blocks[victim] + 1500)) victim++;
    blocks[victim][1500] = 'y';
    malloc_trim(0);
    for (size_t i = 0; i < COUNT(blocks); i++) CHECK(malloc(3000));
    return 0;
}
