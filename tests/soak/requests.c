// A server of requests, each with an arena of its own: one thread begins it, another goes on and ends it, and in a shared one both work at once. Every
// byte of every block is written when it is made, and checked when it is resized, freed or forgotten; some blocks are freed singly, by whoever has them,
// some arenas start over, some refuse by a limit, and now and then the server forks in the middle of it.
//
// usage: requests SECONDS SEED
#include <errno.h>
#include <hakmem.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BLOCKS = 64, WAITING = 16, CHILD_REQUESTS = 20 };
#define HAS(e) ((e) ? (void)0 : (fprintf(stderr, "requests.c:%d: %s, errno %d\n", __LINE__, #e, errno), _exit(1)))

typedef struct {
    unsigned char *at;
    size_t size;
    uint64_t key;
} Block;
// What one thread does in an arena.
typedef struct {
    hak_arena *arena;
    uint64_t random;
    int limited, zeroed;
    Block blocks[BLOCKS];
    uint64_t operations, bytes;
} Work;
typedef struct {
    Work begun;
    int shared;
} Request;

static uint64_t next(Work *w) { // xorshift64*
    w->random ^= w->random >> 12, w->random ^= w->random << 25, w->random ^= w->random >> 27;
    return w->random * 0x2545F4914F6CDD1DULL >> 16;
}
static void write_all(Work *w, Block *b) {
    b->key = next(w);
    for (size_t i = 0; i < b->size; i++) b->at[i] = (unsigned char)(b->key >> (i & 31));
}
static void check(Work *w, const Block *b, size_t size) {
    for (size_t i = 0; i < size; i++) HAS(b->at[i] == (unsigned char)(b->key >> (i & 31)));
    w->bytes += size;
}
static size_t a_size(Work *w) {
    uint64_t r = next(w);
    return r % 4000 == 0 ? 1 + next(w) % 3000000 : r % 50 == 0 ? 1 + next(w) % 60000 : 1 + next(w) % 700;
}

static void step(Work *w) {
    Block *b = &w->blocks[next(w) % BLOCKS];
    uint64_t what = next(w) % 8;
    size_t size = a_size(w);
    w->operations++;
    if (!b->at) {
        size_t align = (size_t)1 << next(w) % 12;
        b->at = what == 0 ? hak_arena_calloc(w->arena, 1, size) : what == 1 ? hak_arena_aligned_alloc(w->arena, align, size) : hak_arena_malloc(w->arena, size);
        HAS(b->at || (w->limited && errno == ENOMEM));
        if (!b->at) return;
        HAS(what != 1 || (uintptr_t)b->at % align == 0);
        HAS((uintptr_t)b->at % 16 == 0 && hak_usable_size(b->at) >= size && hak_arena_of(b->at) == w->arena);
        for (size_t i = 0; i < size && (what == 0 || w->zeroed); i++) HAS(b->at[i] == 0);
        b->size = size;
        write_all(w, b);
    } else if (what < 2) {
        unsigned char *moved = hak_arena_realloc(w->arena, b->at, size);
        HAS(moved || (w->limited && errno == ENOMEM));
        if (!moved) return;
        b->at = moved;
        check(w, b, size < b->size ? size : b->size);
        b->size = size;
        write_all(w, b);
    } else if (what < 6) {
        check(w, b, b->size);
        if (what == 2) free(b->at); else hak_arena_free(w->arena, b->at);
        b->at = NULL;
    } else {
        check(w, b, b->size);
    }
}
static void steps(Work *w, int count) {
    while (count-- > 0) step(w);
}
static void check_all(Work *w) {
    for (int i = 0; i < BLOCKS; i++)
        if (w->blocks[i].at) check(w, &w->blocks[i], w->blocks[i].size);
}

static void begin(Request *r, uint64_t seed) {
    memset(r, 0, sizeof *r);
    Work *w = &r->begun;
    w->random = seed * 0x9E3779B97F4A7C15ULL | 1;
    struct hak_arena_options options = {.size = sizeof options, .name = "request"};
    r->shared = next(w) % 3 == 0, w->limited = next(w) % 4 == 0, w->zeroed = next(w) % 4 == 0;
    options.limit = w->limited ? 300000 : 0;
    options.flags = (r->shared ? HAK_ARENA_SHARED : 0) | (w->zeroed ? HAK_ARENA_ZEROED : 0);
    HAS(w->arena = hak_arena_new(&options));
    steps(w, 300);
}

static void *help(void *work) {
    steps(work, 300);
    check_all(work);
    return NULL;
}
// By another thread than the one that began it.
static void finish(Request *r) {
    Work *w = &r->begun;
    if (r->shared) { // with two helpers beside
        Work helpers[2];
        pthread_t threads[2];
        for (int i = 0; i < 2; i++) {
            helpers[i] = (Work){.arena = w->arena, .random = next(w) | 1, .limited = w->limited, .zeroed = w->zeroed};
            HAS(pthread_create(&threads[i], NULL, help, &helpers[i]) == 0);
        }
        steps(w, 300);
        for (int i = 0; i < 2; i++) {
            HAS(pthread_join(threads[i], NULL) == 0);
            check_all(&helpers[i]); // theirs are still there, though they are not
            w->operations += helpers[i].operations, w->bytes += helpers[i].bytes;
        }
    }
    for (int round = 0; round < (int)(next(w) % 3); round++) {
        check_all(w);
        hak_arena_reset(w->arena);
        memset(w->blocks, 0, sizeof w->blocks);
        steps(w, 200);
    }
    steps(w, 200);
    check_all(w);
    hak_arena_destroy(w->arena);
}

static Request *waiting[WAITING];
static sem_t room, there;
static uint64_t operations, bytes;
static void *serve(void *unused) {
    (void)unused;
    for (uint64_t n = 0;; n++) {
        sem_wait(&there);
        Request *r = waiting[n % WAITING];
        sem_post(&room);
        if (!r) return NULL;
        finish(r);
        operations += r->begun.operations, bytes += r->begun.bytes;
        free(r);
    }
}

// What the child has of its parent's arenas is all there.
static void fork_in(Request *open, uint64_t seed) {
    pid_t child = fork();
    HAS(child >= 0);
    if (child == 0) {
        check_all(&open->begun);
        finish(open);
        Request *own = malloc(sizeof *own);
        for (uint64_t n = 0; n < CHILD_REQUESTS; n++) begin(own, seed + n), finish(own);
        _exit(0);
    }
    int status;
    HAS(waitpid(child, &status, 0) == child && status == 0);
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? atof(argv[1]) : 1;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, n = 0, forks = 0;
    struct timespec begun, now;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    sem_init(&room, 0, WAITING), sem_init(&there, 0, 0);
    pthread_t server;
    HAS(pthread_create(&server, NULL, serve, NULL) == 0);
    do {
        Request *r = malloc(sizeof *r);
        begin(r, seed * 1000000 + n);
        if (n % 50 == 49) fork_in(r, seed + n), forks++;
        sem_wait(&room);
        waiting[n++ % WAITING] = r;
        sem_post(&there);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((double)(now.tv_sec - begun.tv_sec) + (double)(now.tv_nsec - begun.tv_nsec) / 1e9 < seconds);
    sem_wait(&room);
    waiting[n % WAITING] = NULL;
    sem_post(&there);
    HAS(pthread_join(server, NULL) == 0);
    struct hak_stats s;
    HAS(hak_stats_get(&s, sizeof s) == 0);
    HAS(s.live_bytes < 8 << 20 && s.metadata_bytes < 64 << 20); // nothing of all the arenas is left
    printf("requests %llu operations %llu forks %llu bytes %llu\n", (unsigned long long)n, (unsigned long long)operations, (unsigned long long)forks,
           (unsigned long long)bytes);
    return 0;
}
