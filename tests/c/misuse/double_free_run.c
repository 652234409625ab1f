// A run of blocks side by side, freed backwards, the last of which was freed before: reported, although the run goes back by whole words.
// expect-signal: 6
// expect-stderr: ^hakmem: (free|realloc): .+ \(0x[0-9a-f]+\)$
#include "check.h"

static void *blocks[10000];

int main(void) {
    for (size_t i = 0; i < COUNT(blocks); i++) CHECK(blocks[i] = malloc(48));
    free(launder(blocks[5000]));
    for (size_t i = COUNT(blocks); i-- > 5001;) free(blocks[i]);
    free(launder(blocks[5000]));
    for (size_t i = 5000; i-- > 0;) free(blocks[i]);
    flush_everything(48);
}
