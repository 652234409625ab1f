// A thread frees a block of 64 bytes that its owner frees too, much later, after other work of both.
#include "check.h"

static void *free_it(void *p) {
    free(p);
    use_sizes_up_to(4096, 1);
    return NULL;
}

int main(void) {
    void *p = malloc(64);
    CHECK(p);
    join_thread(start_thread(free_it, p));
    use_sizes_up_to(4096, 2);
    free(launder(p));
    char *blocks[3000];
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK(blocks[i] = malloc(64));
        memset(blocks[i], (int)i, 64);
    }
    for (size_t i = 0; i < COUNT(blocks); i++)
        if (!all_bytes_are(blocks[i], 64, (unsigned char)i)) _exit(3);
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
    malloc_trim(0);
    return 0;
}
