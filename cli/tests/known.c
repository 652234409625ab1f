// A program whose figures are known: four threads keep blocks and free each other's, large blocks come and go, and every
// fiftieth block of a size stays. Then it writes the library's own statistics, and sleeps.
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static pthread_barrier_t barrier;
static void *others[4][1000];

static void *work(void *number) {
    long me = (long)number;
    char name[16];
    snprintf(name, sizeof name, "worker-%ld", me);
    prctl(PR_SET_NAME, name);
    for (int i = 0; i < 20000; i++) {
        char *block = malloc(100 + me * 50);
        memset(block, 1, 100);
        if (i % 3 == 0) free(block);
    }
    for (int i = 0; i < 1000; i++) others[me][i] = malloc(500);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 1000; i++) free(others[(me + 1) % 4][i]);
    pthread_barrier_wait(&barrier);
    pause();
    return NULL;
}

static __attribute__((noinline)) void *phase(size_t size, int count) {
    void **blocks = malloc(count * sizeof *blocks), *kept = NULL;
    for (int i = 0; i < count; i++) memset(blocks[i] = malloc(size), 7, size);
    for (int i = 0; i < count; i++) {
        if (i % 50) free(blocks[i]);
        else kept = blocks[i];
    }
    free(blocks);
    return kept;
}

int main(void) {
    size_t (*json)(char *, size_t) = (size_t (*)(char *, size_t))dlsym(RTLD_DEFAULT, "hak_stats_json");
    static char *volatile large[20], *volatile mid[500], statistics[1 << 17];
    pthread_barrier_init(&barrier, NULL, 5);
    for (long i = 0; i < 4; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, work, (void *)i);
    }
    for (int i = 0; i < 20; i++) memset(large[i] = malloc(3 << 20), 1, 3 << 20);
    for (int i = 0; i < 10; i++) free(large[i]);
    for (int i = 0; i < 500; i++) memset(mid[i] = malloc(20000), 1, 20000);
    for (int i = 0; i < 500; i += 2) free(mid[i]);
    phase(48, 200000);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    usleep(200000);
    int (*dump)(const char *) = (int (*)(const char *))dlsym(RTLD_DEFAULT, "hak_prof_dump");
    if (getenv("HAKMEM_PROF") && dump) dump(NULL);
    size_t length = json ? json(statistics, sizeof statistics) : 0;
    // By bare calls: nothing is allocated any more.
    if (write(1, statistics, length) < 0 || write(1, "\n", 1) < 0) return 1;
    close(1);
    pause();
}
