// malloc_usable_size of what is no block returns 0 and does not crash: stack, static, mmap, text, wild, non-canonical. Not hardened.
// env: HAKMEM_HARDENED=0
#include "check.h"
#include <sys/mman.h>

static char object[64];

int main(void) {
    char local[64] = {0};
    void *map = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(map != MAP_FAILED);
    void *garbage[] = {local, object, map, (char *)map + MIB, (void *)main, (void *)16, (void *)0xdeadbeef000, (void *)0xdeadbeefdeadbeef, (void *)-1, (void *)-16, (void *)(1ULL << 47), (void *)(1ULL << 48)};
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT(garbage); i++) CHECK(malloc_usable_size(launder(garbage[i])) == 0);
        use_all_sizes(1);
    }
    return 0;
}
