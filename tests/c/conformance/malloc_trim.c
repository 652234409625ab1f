// malloc_trim returns 0 or 1, for any pad, any time, and breaks nothing.
#include "check.h"

int main(void) {
    int result = malloc_trim(0);
    CHECK(result == 0 || result == 1);
    static unsigned char *blocks[20000];
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK(blocks[i] = malloc(i % 3000));
        stamp(blocks[i], i % 3000, (unsigned)i);
    }
    for (size_t i = 0; i < COUNT(blocks); i += 2) free(blocks[i]), blocks[i] = NULL;
    for (size_t pad = 0; pad < GIB; pad = pad * 8 + 1) {
        result = malloc_trim(pad);
        CHECK(result == 0 || result == 1);
    }
    for (size_t i = 1; i < COUNT(blocks); i += 2) {
        CHECK(stamped(blocks[i], i % 3000, (unsigned)i));
        free(blocks[i]);
    }
    use_all_sizes(1);
    return 0;
}
