// A child of vfork, whose memory is its parent's, starts no background thread: it would be lost at exec, and the parent
// would believe that it has one.
// env: HAKMEM_BACKGROUND=1 HAKMEM_DECAY_MS=40
// cflags: -O1
#include "check.h"
#include <sys/wait.h>

static void *blocks[100000];
static void peak(void) {
    for (size_t i = 0; i < COUNT(blocks); i++) memset(blocks[i] = malloc(500), 1, 500);
    for (size_t i = 0; i < COUNT(blocks); i++) free(blocks[i]);
}

int main(void) {
    pid_t child = vfork();
    if (child == 0) {
        peak();
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    peak();
    for (int tick = 0; tick < 100 && rss_mb() >= 15; tick++) sleep_ms(20);
    CHECK(rss_mb() < 15);
    return 0;
}
