// 300 forks while 8 threads allocate (they rest while a child runs, or it would take minutes): every child allocates all sizes, frees blocks of the parent's threads, starts a thread
// and exits, within 10 s. (snmalloc hangs in 3 of 300, hz3 and hz8 hang; jemalloc 2019, 2402, redis 15666, Mesh 123.)
#include "check.h"
#include <signal.h>
#include <sys/wait.h>

static ATOMIC(int) stop, ready, resting;
static void *theirs[8][60], *mine[400]; // blocks that live through all forks
static pid_t child;

static size_t length(size_t i) { return i * i * 3 % 20000 + 1; }

static void *busy(void *index) {
    Random random = {(uintptr_t)index + 1};
    void **blocks = theirs[(uintptr_t)index], *slots[40] = {0};
    for (size_t i = 0; i < COUNT(theirs[0]); i++) {
        CHECK(blocks[i] = malloc(length(i)));
        stamp(blocks[i], length(i), (unsigned)i);
    }
    ready++;
    while (!stop) {
        if (resting) sleep_ms(1);
        size_t i = random_between(&random, 0, COUNT(slots) - 1), n = (size_t)1 << random_between(&random, 3, i ? 14 : 18);
        free(slots[i]);
        slots[i] = next_random(&random) % 3 ? malloc(n) : calloc(1, n);
        if (next_random(&random) % 16 == 0) slots[i] = realloc(slots[i], n * 2);
        CHECK(slots[i]);
    }
    for (size_t i = 0; i < COUNT(slots); i++) free(slots[i]);
    return NULL;
}

static void *in_child(void *unused) {
    for (size_t i = 0; i < COUNT(mine); i += 4) free(mine[i + 1]);
    for (size_t n = 1; n < 100000; n *= 2) free(malloc(n));
    return unused;
}

static void run_child(int number) {
    for (size_t i = 0; i < COUNT(all_sizes); i++) {
        char *p = malloc(all_sizes[i] + 1);
        CHECK(p);
        p[0] = p[all_sizes[i]] = 1;
        free(p);
    }
    use_sizes_up_to(number % 20 ? 131072 : SIZE_MAX, (unsigned)number);
    for (size_t i = 0; i < COUNT(mine); i += 2) {
        CHECK(stamped(mine[i], length(i), (unsigned)i));
        free(mine[i]);
    }
    for (size_t t = 0; t < COUNT(theirs); t++)
        for (size_t i = 0; i < COUNT(theirs[0]); i += 2) {
            CHECK(stamped(theirs[t][i], length(i), (unsigned)i));
            free(theirs[t][i]);
        }
    join_thread(start_thread(in_child, NULL));
    if (number % 8 == 0) malloc_trim(0);
    for (size_t i = 0; i < 100; i++) free(malloc(i * 50));
    _exit(0);
}

static void on_alarm(int signal) {
    put_line(2, "a child hangs\n");
    kill(child, SIGKILL);
    _exit(1);
}

int main(void) {
    pthread_t threads[8];
    signal(SIGALRM, on_alarm);
    for (uintptr_t i = 0; i < COUNT(threads); i++) threads[i] = start_thread(busy, (void *)i);
    for (size_t i = 0; i < COUNT(mine); i++) {
        CHECK(mine[i] = malloc(length(i)));
        stamp(mine[i], length(i), (unsigned)i);
    }
    while (ready < (int)COUNT(threads)) sleep_ms(1);
    for (int i = 0; i < 300; i++) {
        child = fork();
        CHECK(child >= 0);
        if (child == 0) run_child(i);
        int status;
        resting = 1;
        alarm(10);
        CHECK(waitpid(child, &status, 0) == child);
        alarm(0);
        CHECK(status == 0);
        resting = 0;
        sleep_ms(1); // time for all of them to be at it again
        free(malloc((size_t)i * 300)); // and the parent goes on
    }
    stop = 1;
    for (size_t i = 0; i < COUNT(threads); i++) join_thread(threads[i]);
    for (size_t i = 0; i < COUNT(mine); i++) CHECK(stamped(mine[i], length(i), (unsigned)i));
    use_all_sizes(1);
    return 0;
}
