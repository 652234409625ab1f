// Threads other than main fork, several at once; their children fork again, and both generations allocate and free.
#include "check.h"
#include <sys/wait.h>

static void wait_for(pid_t child) {
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

static void *work(void *seed) {
    void *p = malloc(777), *q = malloc(300000);
    stamp(p, 777, 1);
    for (int i = 0; i < few_of(15); i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(30);
            use_all_sizes((unsigned)(uintptr_t)seed);
            CHECK(stamped(p, 777, 1));
            free(q);
            pid_t grandchild = fork();
            if (grandchild == 0) {
                alarm(30);
                free(p);
                use_all_sizes(9);
                exit(0);
            }
            wait_for(grandchild);
            free(p);
            exit(0); // through the exit handlers, from a thread that is now the main one
        }
        wait_for(child);
        use_all_sizes((unsigned)i);
    }
    free(p);
    free(q);
    return NULL;
}

int main(void) {
    pthread_t threads[4];
    for (uintptr_t i = 0; i < COUNT(threads); i++) threads[i] = start_thread(work, (void *)i);
    use_all_sizes(5);
    for (size_t i = 0; i < COUNT(threads); i++) join_thread(threads[i]);
    return 0;
}
