// A thread with a pending cancellation is the one that writes the statistics a signal asked for, the debugging lines, the learner's; reads the
// kernel's files; starts, and as the last one ends, the background thread: it goes on, and a fork after it comes back.
// forms: preload archive late
// stderr: the reports and lines
// run: for option in HAKMEM_STATS_SIGNAL=USR2 "HAKMEM_STATS_SIGNAL=USR2 HAKMEM_STATS=json:stats" HAKMEM_SS_ACQUIRE_DEBUG=1 HAKMEM_SS_FREE_DEBUG=1 "HAKMEM_LEARN_LOG=1 HAKMEM_DECAY_MS=4" "HAKMEM_PRESSURE=always HAKMEM_DECAY_MS=4" "HAKMEM_BACKGROUND=1 HAKMEM_DECAY_MS=4" "HAKMEM_HARDENED=1 HAKMEM_TRACE=1" HAKMEM_GUARD_RATE=3; do env $option timeout ${EMULATOR:+1}10 $RUN || { echo "$option"; exit 1; }; done 2>said || { cat said; exit 1; }
#include "check.h"
#include <signal.h>
#include <sys/wait.h>

static pthread_barrier_t gate;

static void *work(void *last) {
    pthread_barrier_wait(&gate);
    for (size_t i = 0; i < 30000; i++) {
        void *block = launder(malloc(16 + i * 97 % 60000));
        CHECK(block);
        free(block);
        if (i % 6000 == 0) malloc_trim(0);
    }
    return last;
}

static void *forks(void *thread) {
    if (thread) join_thread(*(pthread_t *)thread);
    pid_t child = fork();
    if (child == 0) _exit(0);
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    return NULL;
}

static pthread_t first;

int main(void) {
    for (size_t round = 0; round < 4; round++) {
        CHECK(pthread_barrier_init(&gate, NULL, 2) == 0);
        pthread_t thread = start_thread(work, &gate);
        CHECK(pthread_cancel(thread) == 0);
        if (getenv("HAKMEM_STATS_SIGNAL")) CHECK(raise(SIGUSR2) == 0);
        pthread_barrier_wait(&gate);
        void *result;
        CHECK(pthread_join(thread, &result) == 0 && result == &gate); // not PTHREAD_CANCELED
        forks(NULL);
    }
    // The last thread with a heap ends with a cancellation pending, and waits for the background thread.
    CHECK(pthread_barrier_init(&gate, NULL, 2) == 0);
    first = start_thread(work, &gate);
    CHECK(pthread_cancel(first) == 0);
    pthread_barrier_wait(&gate);
    start_thread(forks, &first);
    pthread_exit(NULL);
}
