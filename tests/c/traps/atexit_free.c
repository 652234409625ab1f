// atexit handlers free what main allocated, and allocate again, while other threads still run.
#include "check.h"

static void *blocks[3000];

static void *busy(void *unused) {
    for (;;) use_all_sizes(3);
    return unused;
}
static void give_back(void) {
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK(stamped(blocks[i], i, 1));
        free(blocks[i]);
    }
    use_all_sizes(2);
}

int main(void) {
    CHECK(atexit(give_back) == 0);
    for (size_t i = 0; i < COUNT(blocks); i++) {
        CHECK(blocks[i] = malloc(i));
        stamp(blocks[i], i, 1);
    }
    for (int i = 0; i < 3; i++) start_thread(busy, NULL);
    sleep_ms(20);
    return 0;
}
