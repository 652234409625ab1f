// Writes into 64-byte blocks that are free, then allocates thousands: do the written addresses lead the allocator astray?
// Exit status 3 when two blocks are one, or lie where none may.
#include "check.h"

static char *blocks[64], *later[20000], victim[4096] __attribute__((aligned(16)));

int main(void) {
    for (size_t i = 0; i < COUNT(blocks); i++) CHECK(blocks[i] = malloc(64));
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
    for (size_t i = 0; i < COUNT(blocks); i++) ((char **)launder(blocks[i]))[0] = victim + 64, ((char **)launder(blocks[i]))[1] = victim + 64;
    for (size_t i = 0; i < COUNT(later); i++) {
        later[i] = malloc(64);
        if (later[i] >= victim && later[i] < victim + sizeof victim) _exit(3);
        ((size_t *)later[i])[0] = i;
    }
    for (size_t i = 0; i < COUNT(later); i++)
        if (((size_t *)later[i])[0] != i) _exit(3);
    for (size_t i = 0; i < COUNT(later); i++) free(later[i]);
    malloc_trim(0);
    return 0;
}
