// alone
// 3,000 threads came and went: a fork later on costs no page of theirs, in the parent or in a child that allocates
#include "check.h"
#include <sys/resource.h>
#include <sys/wait.h>

enum { THREADS = 3000, FORKS = 20 };
static int up;
static atomic_int go;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void *run(void *unused) {
    (void)unused;
    free(malloc(100));
    pthread_mutex_lock(&lock);
    up++;
    pthread_cond_broadcast(&changed);
    while (!go) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static long faults(int who) {
    struct rusage usage;
    getrusage(who, &usage);
    return usage.ru_minflt;
}

int main(void) {
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 64 << 10);
    static pthread_t threads[THREADS];
    int n = 0;
    while (n < THREADS && pthread_create(&threads[n], &attr, run, NULL) == 0) n++;
    if (n < THREADS / 2) SKIP("only %d threads can be had", n);
    pthread_mutex_lock(&lock);
    while (up < n) pthread_cond_wait(&changed, &lock);
    go = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < n; i++) pthread_join(threads[i], NULL);
    malloc_trim(0);
    long mine = faults(RUSAGE_SELF);
    for (int i = 0; i < FORKS; i++) {
        pid_t child = fork();
        if (!child) {
            free(malloc(100));
            _exit(0);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    mine = (faults(RUSAGE_SELF) - mine) / FORKS;
    long theirs = faults(RUSAGE_CHILDREN) / FORKS;
    CHECK(mine < 200 && theirs < 300);
    NOTE("faults a fork: parent %ld, child %ld", mine, theirs);
    return 0;
}
