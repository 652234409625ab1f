// Of 110,000 large blocks every second one is freed, and as many are made again: in a hardened process, in which each is a mapping of its own with closed
// pages as long as there may be so many, no hole costs the kernel a mapping for good, and nothing is refused. What is handed out again is zero.
#include "check.h"

enum { BLOCKS = 110000, BYTES = 300000 };

static char *blocks[BLOCKS];

static void make(int i) {
    CHECK(blocks[i] = malloc(BYTES));
    CHECK(blocks[i][0] == 0 && blocks[i][BYTES - 1] == 0);
    blocks[i][0] = 1;
}

static void *second(void *unused) {
    for (int i = 1; i < BLOCKS; i += 2) free(blocks[i]), make(i);
    return unused;
}

int main(void) {
    if (!is_hardened()) SKIP("not hardened: such blocks share mappings");
    for (int i = 0; i < BLOCKS; i++) make(i);
    for (int i = 0; i < BLOCKS; i += 2) free(blocks[i]);
    NOTE("%ld mappings with %d holes", mappings(), BLOCKS / 2);
    CHECK(mappings() < 20000);
    pthread_t thread = start_thread(second, NULL);
    for (int i = 0; i < BLOCKS; i += 2) make(i);
    join_thread(thread);
    for (int i = 0; i < BLOCKS; i++) free(blocks[i]);
    char *longer = malloc(40 * MIB);
    CHECK(longer && longer[40 * MIB - 1] == 0);
    free(longer);
    return 0;
}
