// malloc_usable_size is at least what was asked, the same for the block's life, and writable to its last byte; 0 for NULL.
// (systemd, Redis and RocksDB write into the slack.)
#include "check.h"

static unsigned char *blocks[4000];
static size_t usable[4000];

int main(void) {
    CHECK(malloc_usable_size(NULL) == 0);
    for (size_t i = 0; i < COUNT(blocks); i++) {
        size_t n = i * 20;
        CHECK(blocks[i] = malloc(n));
        usable[i] = malloc_usable_size(blocks[i]);
        CHECK(usable[i] >= n);
        memset(blocks[i], (int)(i % 251), usable[i]);
    }
    for (size_t i = 0; i < COUNT(blocks); i += 2) free(blocks[i]);
    use_all_sizes(1);
    malloc_trim(0);
    for (size_t i = 1; i < COUNT(blocks); i += 2) {
        CHECK(malloc_usable_size(blocks[i]) == usable[i]);
        CHECK(all_bytes_are(blocks[i], usable[i], (unsigned char)(i % 251)));
        size_t old = usable[i]; // and the slack goes along
        unsigned char *p = realloc(blocks[i], old + 100);
        CHECK(p && malloc_usable_size(p) >= old + 100 && all_bytes_are(p, old, (unsigned char)(i % 251)));
        free(p);
    }
    return 0;
}
