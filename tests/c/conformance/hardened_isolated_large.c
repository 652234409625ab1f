// With HAKMEM_HARDENED=1 addresses that held large blocks hold nothing else, neither small blocks nor what the program maps, whatever is freed, grown and trimmed.
// env: HAKMEM_HARDENED=1 HAKMEM_GUARD_RATE=0
#include "check.h"
#include <sys/mman.h>

enum { BLOCKS = 60 };
static struct range { char *from, *to; } held[BLOCKS * 8];
static size_t used;

static void note(char *p, size_t size) {
    CHECK(p && used < COUNT(held));
    memset(p, 1, size);
    held[used++] = (struct range){p, p + size};
}

static int was_large(char *p, size_t size) {
    for (size_t i = 0; i < used; i++)
        if (p < held[i].to && held[i].from < p + size) return 1;
    return 0;
}

int main(void) {
    char *blocks[BLOCKS];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < BLOCKS; i++) {
            size_t size = 70000 + (size_t)(i * 7919 % BLOCKS) * 30000;
            note(blocks[i] = malloc(size), size);
            for (int grown = 0; i % 4 == 0 && grown < 3; grown++) note(blocks[i] = realloc(blocks[i], size *= 2), size);
        }
        for (int i = 0; i < BLOCKS; i++) free(blocks[i]);
        malloc_trim(0);
    }
    for (int i = 0; i < 400; i++) {
        size_t size = 4096 << i % 11;
        CHECK(!was_large(mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), size));
    }
    for (size_t size = 16; size < 60000; size += size / 2)
        for (int i = 0; i < 200; i++) CHECK(!was_large(malloc(size), size));
    int again = 0;
    for (int i = 0; i < BLOCKS; i++) again += was_large(malloc(100000 + (size_t)i * 10000), 100000);
    CHECK(again > BLOCKS / 2); // large blocks lie there again
    return 0;
}
