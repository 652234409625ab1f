// posix_spawn, vfork and system while four threads allocate: no fork handler runs, memory is shared, nothing may wait.
#include "check.h"
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;
static ATOMIC(int) stop;

static void *busy(void *seed) {
    while (!stop) use_all_sizes((unsigned)(uintptr_t)seed);
    return NULL;
}

int main(void) {
    alarm(20);
    pthread_t threads[4];
    char *const command[] = {(char *)"/bin/true", NULL};
    for (uintptr_t i = 0; i < COUNT(threads); i++) threads[i] = start_thread(busy, (void *)i);
    for (int i = 0; i < 40; i++) {
        pid_t child;
        int status;
        free(malloc(1000));
        CHECK(posix_spawn(&child, command[0], NULL, NULL, command, environ) == 0);
        CHECK(waitpid(child, &status, 0) == child && status == 0);
        child = vfork();
        CHECK(child >= 0);
        if (child == 0) {
            execve(command[0], command, environ);
            _exit(9);
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0);
        child = vfork();
        if (child == 0) _exit(3);
        CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
    }
    CHECK(system("exit 0") == 0);
    stop = 1;
    for (size_t i = 0; i < COUNT(threads); i++) join_thread(threads[i]);
    return 0;
}
