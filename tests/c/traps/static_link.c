// A program that is wholly static, with libhakmem.a in it: malloc, threads, fork, and the misuse report.
// run: [ -f "${LIB%.so}.a" ] || { echo "no static library"; exit 77; }; ${CC:-gcc} -static -w -pthread -D_GNU_SOURCE -I"$here" "$here/traps/static_link.c" "${LIB%.so}.a" -o linked && HAKMEM_STATS=1 $EMULATOR ./linked 2>stats && grep -q hakmem stats && { $EMULATOR ./linked twice 2>&1; [ $? = 134 ]; } | grep -q 'hakmem: free: block is already free'
#include "check.h"
#include <sys/wait.h>

static void *work(void *seed) {
    use_sizes_up_to(MIB, (unsigned)(uintptr_t)seed);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc > 1) {
        void *p = launder(malloc(40));
        free(p), free(p);
    }
    pthread_t threads[4];
    for (uintptr_t i = 0; i < COUNT(threads); i++) threads[i] = start_thread(work, (void *)i);
    for (size_t i = 0; i < COUNT(threads); i++) join_thread(threads[i]);
    use_all_sizes(1);
    pid_t child = fork();
    if (child == 0) use_all_sizes(2), _exit(0);
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    return 0;
}
