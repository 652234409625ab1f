// Warm memory belongs to everybody: a pool of 48 threads serves one request after the other, each by a thread at random, of 6 MiB in blocks
// that are all freed again. The next thread takes the memory that the last one left, and the process stays as small as one request is.
// env: HAKMEM_TINY_HEAP_V2=1 HAKMEM_HARDENED=0 HAKMEM_GUARD_RATE=0
#include "check.h"
#include <semaphore.h>
#include <sys/resource.h>

enum { THREADS = 48, WARM_UP = 300, REQUESTS = 300 };
static struct server {
    sem_t wanted;
    pthread_t thread;
} servers[THREADS];
static sem_t served;
static char *blocks[40000];
static Random sizes = {7};

static long faults(void) {
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_minflt;
}

static void *serve(void *arg) {
    struct server *server = arg;
    for (;;) {
        while (sem_wait(&server->wanted)) { }
        size_t count = 0, taken = 0;
        while (taken < 6 * MIB && count < COUNT(blocks)) {
            size_t doubling = 16u << next_random(&sizes) % 8, size = doubling + next_random(&sizes) % doubling;
            CHECK(blocks[count] = malloc(size));
            memset(blocks[count++], 1, size);
            taken += size;
        }
        for (size_t i = 0; i < count; i++) free(blocks[i]);
        sem_post(&served);
    }
    return NULL;
}

static void request(Random *r) {
    sem_post(&servers[next_random(r) % THREADS].wanted);
    while (sem_wait(&served)) { }
}

int main(void) {
    Random r = {42};
    sem_init(&served, 0, 0);
    for (size_t i = 0; i < THREADS; i++) {
        sem_init(&servers[i].wanted, 0, 0);
        servers[i].thread = start_thread(serve, &servers[i]);
    }
    for (int i = 0; i < WARM_UP; i++) request(&r);
    long before = faults();
    for (int i = 0; i < REQUESTS; i++) request(&r);
    long each = (faults() - before) / REQUESTS;
    NOTE("%ld faults a request, peak %ld MB", each, peak_mb());
    CHECK(each < 150); // a request touches 1,500 pages
    CHECK(peak_mb() < 64);
    return 0;
}
