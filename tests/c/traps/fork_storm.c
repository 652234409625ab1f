// 1,000 forks (FULL=1: 10,000), one after the other from changing threads, while six others allocate without a pause:
// every child frees what it inherited from its thread, allocates and exits.
#include "check.h"
#include <sys/wait.h>

static ATOMIC(int) stop, forks;
static int goal = 1000;

static void use(Random *random, void **slots, size_t n, size_t steps) {
    for (size_t step = 0; step < steps; step++) {
        size_t i = random_between(random, 0, n - 1), size = (size_t)1 << random_between(random, 3, i ? 12 : 18);
        free(slots[i]);
        CHECK(slots[i] = malloc(size));
        ((char *)slots[i])[size - 1] = 1;
    }
}

static void *busy(void *seed) {
    Random random = {(uintptr_t)seed + 1};
    void *slots[64] = {0};
    while (!stop) use(&random, slots, COUNT(slots), 100);
    for (size_t i = 0; i < COUNT(slots); i++) free(slots[i]);
    return NULL;
}

static void *forker(void *seed) {
    Random random = {(uintptr_t)seed + 100};
    void *slots[200] = {0};
    for (int i = 0; i < 50 && forks < goal; i++) {
        use(&random, slots, COUNT(slots), 300);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(20);
            for (size_t j = 0; j < COUNT(slots); j += 2) free(slots[j]), slots[j] = NULL;
            use(&random, slots, COUNT(slots), 300);
            if (i % 16 == 0) malloc_trim(0);
            _exit(0);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
        forks++;
    }
    for (size_t i = 0; i < COUNT(slots); i++) free(slots[i]);
    return NULL;
}

int main(void) {
    if (getenv("FULL")) goal = 10000;
    pthread_t threads[6];
    for (uintptr_t i = 0; i < COUNT(threads); i++) threads[i] = start_thread(busy, (void *)i);
    for (uintptr_t i = 0; forks < goal; i++) { // two at a time: a fork meets another one
        pthread_t first = start_thread(forker, (void *)(2 * i)), second = start_thread(forker, (void *)(2 * i + 1));
        join_thread(first), join_thread(second);
    }
    stop = 1;
    for (size_t i = 0; i < COUNT(threads); i++) join_thread(threads[i]);
    NOTE("%d forks", (int)forks);
    return 0;
}
