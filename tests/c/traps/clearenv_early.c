// A program that empties, rewrites and frees its environment in a constructor and while it runs: the library has read what
// it wanted and does not look again.
// env: HAKMEM_SUPERSLAB_CACHE=4
#include "check.h"

extern char **environ;
static char variable[] = "HAKMEM_NO_SUCH_VARIABLE=1";

__attribute__((constructor(101))) static void early(void) {
    CHECK(putenv(variable) == 0);
    CHECK(clearenv() == 0);
}

static void *work(void *unused) {
    use_all_sizes(1);
    return unused;
}

int main(void) {
    CHECK(getenv("PATH") == NULL);
    for (int i = 0; i < 100; i++) {
        char value[32];
        snprintf(value, sizeof value, "%d", i);
        CHECK(setenv("HAKMEM_DECAY_MS", value, 1) == 0);
        free(malloc((size_t)i * 1000));
    }
    environ = NULL;
    join_thread(start_thread(work, NULL));
    use_all_sizes(2);
    return 0;
}
