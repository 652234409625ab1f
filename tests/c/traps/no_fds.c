// With no file descriptor to be had (RLIMIT_NOFILE 0), as in a sandbox without /proc and /sys, everything still works.
#include "check.h"
#include <sys/resource.h>

static void *work(void *unused) {
    use_all_sizes(2);
    return unused;
}

int main(void) {
    struct rlimit none = {0, 0};
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0 && open("/dev/null", O_RDONLY) == -1);
    for (unsigned i = 0; i < 10; i++) use_all_sizes(i);
    for (int i = 0; i < 10; i++) join_thread(start_thread(work, NULL));
    malloc_trim(0);
    (void)mallinfo2();
    return 0;
}
