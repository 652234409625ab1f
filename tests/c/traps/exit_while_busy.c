// exit() from one thread while others allocate, and main waits: handlers run, the process ends with the status given.
// run: for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do timeout 10 $RUN; [ $? = 3 ] || exit 1; done
#include "check.h"

static void *busy(void *seed) {
    for (;;) use_all_sizes((unsigned)(uintptr_t)seed);
    return NULL;
}
static void *leave(void *unused) {
    sleep_ms(5);
    exit(3);
}
static void at_exit(void) { use_all_sizes(7); }

int main(void) {
    CHECK(atexit(at_exit) == 0);
    for (uintptr_t i = 0; i < 3; i++) start_thread(busy, (void *)i);
    join_thread(start_thread(leave, NULL));
    return 1;
}
