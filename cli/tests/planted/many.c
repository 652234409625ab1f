/* 4^7 stacks: at each of seven levels one of four functions calls on. */
#include <stdlib.h>

typedef void step(unsigned, int);
static step *const steps[4];
static void *volatile kept;

#define BRANCH(n) \
    __attribute__((noinline)) static void branch_##n(unsigned path, int level) { \
        if (level == 0) \
            kept = malloc(64 + 16 * (path % 5)); \
        else \
            steps[path & 3](path >> 2, level - 1); \
        __asm__ volatile(""); \
    }
BRANCH(0)
BRANCH(1)
BRANCH(2)
BRANCH(3)
static step *const steps[4] = {branch_0, branch_1, branch_2, branch_3};

int main(void) {
    for (unsigned path = 0; path < 1u << 14; path++)
        steps[path & 3](path >> 2, 6);
    return 0;
}
