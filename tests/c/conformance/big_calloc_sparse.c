// calloc of blocks of 64 KiB to 1 MiB out of fresh memory touches none of it, and after a free it is zero again.
// env: HAKMEM_HARDENED=0
#include "check.h"

int main(void) {
    static char *blocks[400];
    size_t size = 70000;
    for (size_t i = 0; i < COUNT(blocks); i++, size += 2443) CHECK(blocks[i] = calloc(1, size < MIB ? size : MIB));
    NOTE("%ld MiB resident of 200", rss_mb());
    CHECK(rss_mb() < 16);
    size = 70000;
    for (size_t i = 0; i < COUNT(blocks); i++, size += 2443) {
        size_t bytes = size < MIB ? size : MIB;
        memset(blocks[i], 0xA5, bytes);
        free(blocks[i]);
        CHECK(blocks[i] = calloc(1, bytes));
        for (size_t at = 0; at < bytes; at++) CHECK(blocks[i][at] == 0);
    }
    return 0;
}
