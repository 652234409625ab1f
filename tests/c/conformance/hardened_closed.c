// With HAKMEM_HARDENED=1 what lies 1 MiB past or before a block of any size is closed but by chance, and always 8 and 64 KiB past or before one above 64 KiB; where a
// size's blocks lie is chance; the statistics count what that takes.
// env: HAKMEM_HARDENED=1 HAKMEM_GUARD_RATE=0
// hakmem
#include "check.h"
#include "hakmem.h"

static int pipe_fds[2];

static int is_open(const char *at) { // whether a byte there can be read, without a fault
    char byte;
    if (write(pipe_fds[1], at, 1) == 1) return read(pipe_fds[0], &byte, 1) == 1;
    CHECK(errno == EFAULT);
    return 0;
}

int main(void) {
    static const size_t sizes[] = {24, 100, 200, 500, 900, 1500, 3000, 5000, 9000, 20000, 30000, 60000, 100000, 300000, 3000000};
    static const size_t steps[] = {8 * KIB, 64 * KIB, MIB};
    static char *blocks[COUNT(sizes)][3];
    unsigned slots = 0, ascending = 0, by_chance = 0;
    CHECK(pipe(pipe_fds) == 0);
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (int n = 0; n < 3; n++) {
            CHECK(blocks[i][n] = malloc(sizes[i]));
            memset(blocks[i][n], 1, sizes[i]);
        }
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (int n = 0; n < 3; n++) {
            char *p = blocks[i][n];
            CHECK(is_open(p) && is_open(p + sizes[i] - 1));
            for (size_t s = 0; s < COUNT(steps); s++) {
                if (sizes[i] < 65536 && steps[s] < MIB) continue; // may lie in the same span
                int open = is_open(p + sizes[i] + steps[s] - 1) + is_open(p - steps[s]);
                if (sizes[i] < 65536) by_chance += open; // another span of the size
                else CHECK(!open);
            }
        }
        if (sizes[i] < 65536) slots |= 1u << ((uintptr_t)blocks[i][0] >> 16 & 31);
        if (i > 0 && sizes[i] < 65536) ascending += blocks[i][0] > blocks[i - 1][0];
    }
    // Twelve sizes: in the same place each, or one behind the other, once in many billions.
    CHECK((slots & (slots - 1)) != 0 && ascending < 11 && ascending > 0);
    CHECK(by_chance <= 24); // of 72, and about two on average
    hak_stats stats;
    CHECK(hak_stats_get(&stats, sizeof stats) == 0);
    CHECK(stats.closed_mappings >= 30 && stats.closed_missing == 0);
    return 0;
}
