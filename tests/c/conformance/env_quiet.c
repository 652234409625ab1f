// Without any variable set, not one byte goes to stdout or stderr.
// run: $RUN >out 2>&1 && [ ! -s out ]
#include "check.h"

static void *work(void *unused) {
    use_all_sizes(2);
    return unused;
}

int main(void) {
    use_all_sizes(1);
    join_thread(start_thread(work, NULL));
    malloc_trim(0);
    return 0;
}
