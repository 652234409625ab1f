// One double free among thousands of proper frees, far from the first, is reported.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

static void *blocks[10000];

int main(void) {
    for (size_t i = 0; i < COUNT(blocks); i++) CHECK(blocks[i] = malloc(48));
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
    free(launder(blocks[5000]));
    flush_everything(48);
}
