// An owned arena goes from thread to thread by the program's own means, its blocks too, and some are freed by whoever has them: nothing is lost, nothing
// is written to twice. A server of requests: each has its arena, made by one thread, used by another, destroyed by either.
// hakmem
// run: for e in A=1 HAKMEM_TINY_HEAP_V2=0 HAKMEM_HARDENED=1; do env $e $RUN || exit 1; done
#include "check.h"
#include <hakmem.h>
#include <semaphore.h>

#define REQUESTS 3000
#define BLOCKS 60
struct request {
    hak_arena *arena;
    unsigned char *blocks[BLOCKS];
    size_t sizes[BLOCKS];
};
static struct request *slots[8];
static sem_t room, there;

static void fill(struct request *r, int from, int to, int with) {
    for (int i = from; i < to; i++) {
        r->sizes[i] = 16 + (size_t)(i * 37 + with * 101) % 900;
        CHECK((r->blocks[i] = hak_arena_malloc(r->arena, r->sizes[i])));
        memset(r->blocks[i], with & 255, r->sizes[i]);
    }
}
static void *serve(void *arg) {
    for (int n = 0; n < REQUESTS; n++) {
        sem_wait(&there);
        struct request *r = slots[n % COUNT(slots)];
        sem_post(&room);
        fill(r, BLOCKS / 2, BLOCKS, n);
        for (int i = 0; i < BLOCKS; i++)
            for (size_t at = 0; at < r->sizes[i]; at++) CHECK(r->blocks[i][at] == (n & 255));
        for (int i = n % 3; i < BLOCKS; i += 7) free(r->blocks[i]);
        if (n % 2) hak_arena_reset(r->arena), fill(r, 0, BLOCKS, n);
        hak_arena_destroy(r->arena);
        free(r);
    }
    return NULL;
}

int main(void) {
    pthread_t server;
    sem_init(&room, 0, COUNT(slots) - 1), sem_init(&there, 0, 0);
    CHECK(pthread_create(&server, NULL, serve, NULL) == 0);
    for (int n = 0; n < REQUESTS; n++) {
        struct request *r = malloc(sizeof *r);
        CHECK((r->arena = hak_arena_new(NULL)));
        fill(r, 0, BLOCKS / 2, n);
        sem_wait(&room);
        slots[n % COUNT(slots)] = r;
        sem_post(&there);
    }
    CHECK(pthread_join(server, NULL) == 0);
    struct hak_stats s;
    CHECK(hak_stats_get(&s, sizeof s) == 0 && s.live_bytes < 4 * MIB && s.heaps < 60);
}
