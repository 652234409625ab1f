// Two bad variables are each named once, on a line of their own, threads and forks notwithstanding.
// env: HAKMEM_DECAY_MS=abc HAKMEM_NO_SUCH=1
// expect-stderr: ^hakmem: .*HAKMEM_DECAY_MS
// expect-stderr: ^hakmem: .*HAKMEM_NO_SUCH
#include "check.h"
#include <sys/wait.h>

static void *work(void *unused) {
    use_all_sizes(2);
    return unused;
}

int main(void) {
    join_thread(start_thread(work, NULL));
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) work(NULL), _exit(0);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    return 0;
}
