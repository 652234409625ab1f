// A chain of 40 forks, each child forking the next after starting and joining a thread: no lock, handler or heap wears out.
#include "check.h"
#include <sys/wait.h>

static void *work(void *unused) {
    use_all_sizes(4);
    return unused;
}

__attribute__((noreturn)) static void go(int depth) {
    alarm(20);
    void *p = malloc(1000);
    stamp(p, 1000, (unsigned)depth);
    join_thread(start_thread(work, NULL));
    if (depth > 0) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) go(depth - 1);
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    CHECK(stamped(p, 1000, (unsigned)depth));
    free(p);
    _exit(0);
}

int main(void) { go(40); }
