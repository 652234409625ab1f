// An arena in memory that the program gave: every block lies in it, apart from all others and aligned, until there is no room (ENOMEM), and what is freed
// or reset can be had again in other sizes. What is before its first and behind its last 64 KiB is never touched, no page of it is ever given to the kernel,
// and after the end it is the program's. Owned, shared, zeroed; pages of a file that another process sees; arguments that are refused.
// hakmem
// run: for e in A=1 HAKMEM_TINY_HEAP_V2=0 HAKMEM_HARDENED=1 HAKMEM_HARDENED=light HAKMEM_DECAY_MS=0; do env $e $RUN || exit 1; done
#include "check.h"
#include <hakmem.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define PIECE (64 * KIB)
#define SIZE (12 * MIB)
static unsigned char *memory, *base; // all, and what is given: 1000 bytes into it, and as many before its end
static size_t given;
static hak_arena *arena;

static unsigned char *first(void) { return (unsigned char *)(((uintptr_t)base + PIECE - 1) & -PIECE); }
static unsigned char *last(void) { return (unsigned char *)((uintptr_t)(base + given) & -PIECE); }
static int inside(const void *block, size_t size) {
    const unsigned char *at = block;
    return at >= first() && at + size <= last();
}
static struct hak_arena_figures figures(void) {
    struct hak_arena_figures f;
    CHECK(hak_arena_stats(arena, &f, sizeof f) == 0);
    return f;
}
// Each block holds its number, all over.
static struct held { unsigned char *at; size_t size; unsigned char mark; } held[4000];
static void check(struct held *h) {
    for (size_t i = 0; i < h->size; i += h->size > 5000 ? 97 : 1) CHECK(h->at[i] == h->mark);
    if (h->size) CHECK(h->at[h->size - 1] == h->mark);
}
static void stir(uint64_t state, int steps, int zeroed) {
    uint64_t refused = 0, served = 0;
    for (int step = 0; step < steps; step++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        struct held *h = &held[state % COUNT(held)];
        size_t size = (state >> 32) % (state >> 60 > 2 ? 900 : state >> 60 ? 30000 : 1500000), align = (size_t)16 << state % 9;
        if (h->at && state >> 20 & 1) {
            check(h);
            if (state >> 21 & 1) free(h->at);
            else hak_arena_free(arena, h->at);
            *h = (struct held){0};
        } else if (h->at) {
            check(h);
            unsigned char *at = hak_arena_realloc(arena, h->at, size + 1);
            if (!at) { CHECK(errno == ENOMEM); refused++; continue; }
            h->at = at;
            for (size_t i = 0; i < h->size && i <= size; i += 31) CHECK(at[i] == h->mark);
            h->size = size + 1;
        } else {
            errno = 0;
            h->at = state >> 22 & 7 ? hak_arena_malloc(arena, size) : hak_arena_aligned_alloc(arena, align, size);
            h->size = size;
            if (!h->at) { CHECK(errno == ENOMEM); refused++; continue; }
            CHECK((uintptr_t)h->at % (state >> 22 & 7 ? 16 : align) == 0);
            for (size_t i = 0; zeroed && i < size; i++) CHECK(h->at[i] == 0);
        }
        if (!h->at) continue;
        served++;
        CHECK(inside(h->at, h->size) && hak_arena_of(h->at) == arena && hak_usable_size(h->at) >= h->size);
        memset(h->at, h->mark = (unsigned char)(state >> 8) | 1, h->size);
    }
    CHECK(refused > 50 && served > (uint64_t)steps / 10);
}
static void drop_all(int singly) {
    for (size_t i = 0; i < COUNT(held); i++) {
        if (held[i].at) check(&held[i]);
        if (held[i].at && singly) free(held[i].at);
        held[i] = (struct held){0};
    }
    if (!singly) hak_arena_reset(arena);
    CHECK(figures().live_blocks == 0);
}
static int drop_one(void *block, size_t size, void *arg) {
    free(block);
    return 0;
}
static void *use(void *arg) {
    for (uintptr_t i = 0, n = (uintptr_t)arg; i < 3000; i++) {
        size_t size = (i * 37 + n * 11) % 500 + 8;
        unsigned char *p = hak_arena_malloc(arena, size), *q = hak_arena_malloc(arena, size * 3);
        CHECK(p && q && inside(p, size) && inside(q, size * 3));
        memset(p, (int)n, size), memset(q, (int)n, size * 3);
        if (i % 2) free(q);
        for (size_t b = 0; b < size; b++) CHECK(p[b] == n);
        hak_arena_free(arena, p);
    }
    return NULL;
}
static void refused(void *at, size_t size, uint64_t flags) {
    hak_arena_options options = {.size = sizeof options, .flags = flags};
    errno = 0;
    CHECK(!hak_arena_new_in(at, size, &options) && errno == EINVAL);
}

int main(void) {
    memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    memset(memory, 0xa5, SIZE);
    base = memory + 1000, given = SIZE - 2000;
    refused(NULL, SIZE, 0), refused(first() + 1, 2 * PIECE - 2, 0), refused(base, 0, 0), refused(base, given, HAK_ARENA_HUGE | HAK_ARENA_NO_HUGE);
    refused(base, SIZE_MAX, 0), refused((void *)((uintptr_t)1 << 60), SIZE, 0), refused(base, given, 64);
    void *ours = malloc(300000);
    refused(ours, 300000, 0);
    free(ours);
    hak_arena_options options = {.size = sizeof options, .flags = HAK_ARENA_HUGE};
    CHECK(!hak_arena_new(&options) && errno == EINVAL);

    for (int life = 0; life < 4; life++) {
        options.flags = (life & 1 ? HAK_ARENA_ZEROED : 0) | (life & 2 ? HAK_ARENA_SHARED | HAK_ARENA_NO_HUGE : 0);
        CHECK((arena = hak_arena_new_in(base, given, &options)));
        refused(base, given, 0), refused(last() - PIECE, PIECE, 0); // another one's
        for (int round = 0; round < 3; round++) {
            stir(88172645463325252u + (uint64_t)round * 7919, 20000, life & 1);
            if (round == 1) CHECK(hak_trim() < 64 * MIB);
            drop_all(round % 2);
        }
        // Full of one size, and then of another: nine tenths of it, or more.
        static const size_t sizes[] = {16, 900, 2000, 20000, 65520, 300000, MIB, 2 * MIB, 64};
        for (size_t i = 0; i < COUNT(sizes); i++) {
            size_t room = 0, most = getenv("HAKMEM_HARDENED") && sizes[i] < 100 ? 2 * sizes[i] : sizes[i];
            void *p, *some = NULL;
            while ((p = hak_arena_malloc(arena, sizes[i]))) CHECK(inside(p, sizes[i])), room += most, some = p;
            CHECK(errno == ENOMEM && room > given / 10 * 8 && figures().live_bytes <= given);
            CHECK(hak_arena_malloc(arena, 8 * MIB) == NULL);
            hak_arena_free(arena, some);
            CHECK((some = hak_arena_malloc(arena, sizes[i])));
            if (i % 2) hak_arena_reset(arena);
            else
                CHECK(hak_arena_walk(arena, drop_one, NULL) == 0 && figures().live_blocks == 0);
        }
        if (life & 2) {
            pthread_t threads[4];
            for (uintptr_t i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], NULL, use, (void *)(i + 1)) == 0);
            for (int i = 0; i < 4; i++) CHECK(pthread_join(threads[i], NULL) == 0);
        }
        hak_arena_destroy(arena);
        hak_trim();
        for (unsigned char *at = memory; at < first(); at++) CHECK(*at == 0xa5);
        for (unsigned char *at = last(); at < memory + SIZE; at++) CHECK(*at == 0xa5);
        unsigned char resident[SIZE / 4096];
        CHECK(mincore(memory, SIZE, resident) == 0);
        for (size_t i = 0; i < SIZE / (size_t)sysconf(_SC_PAGESIZE); i++) CHECK(resident[i] & 1);
        memset(memory, 0xa5, SIZE);
    }
    munmap(memory, SIZE);

    // What a child makes there its parent reads.
    memory = base = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    given = SIZE;
    CHECK(memory != MAP_FAILED && (arena = hak_arena_new_in(base, given, NULL)));
    char **place = hak_arena_calloc(arena, 1, sizeof *place);
    CHECK(place && inside(place, sizeof *place));
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        for (int i = 0; i < 1000; i++) *place = strcpy(hak_arena_malloc(arena, 100), "from the child");
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0 && inside(*place, 100));
    CHECK(strcmp(*place, "from the child") == 0);
    return 0;
}
