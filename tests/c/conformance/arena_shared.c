// A shared arena: threads that come and go make blocks in it side by side, free their own and each other's by free and hak_arena_free, and no block is
// in two hands. Then one of them has it to itself: figures and walk know exactly what is held, a reset frees all, with a limit and without, zeroed or not.
// hakmem
// run: for e in A=1 HAKMEM_TINY_HEAP_V2=0 HAKMEM_HARDENED=1; do env $e $RUN || exit 1; done
#include "check.h"
#include <hakmem.h>

#define THREADS 6
#define SLOTS 400
#define STEPS 12000
struct slot {
    pthread_mutex_t lock;
    unsigned char *at;
    size_t size;
} slots[SLOTS];
static hak_arena *arena, *extra[12];
static int zeroed;

static void stir(uint64_t state, int steps) {
    for (int step = 0; step < steps; step++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        struct slot *s = &slots[state % SLOTS];
        size_t size = state >> 32 & 15 ? (state >> 36) % 700 : (state >> 36) % (state >> 60 ? 30000 : 1500000);
        unsigned char mark = (unsigned char)(state >> 9), *fresh = hak_arena_malloc(arena, size), *old;
        if (!fresh) {
            CHECK(errno == ENOMEM);
            continue;
        }
        if (zeroed)
            for (size_t i = 0; i < size; i++) CHECK(fresh[i] == 0);
        memset(fresh, mark, size);
        if (size) fresh[0] = (unsigned char)size;
        pthread_mutex_lock(&s->lock);
        old = s->at;
        size_t had = s->size;
        s->at = fresh, s->size = size;
        pthread_mutex_unlock(&s->lock);
        if (!old) continue;
        CHECK(hak_arena_of(old) == arena);
        if (had) CHECK(old[0] == (unsigned char)had);
        for (size_t i = 2; i < had; i++) CHECK(old[i] == old[1]);
        if (step % 3 == 0) free(old);
        else if (step % 3 == 1) hak_arena_free(arena, old);
        else if ((fresh = hak_arena_realloc(arena, old, had / 2 + 1))) free(fresh);
        else free(old);
        if (step % 100 == 0) free(hak_arena_malloc(extra[state % COUNT(extra)], 50)); // more of them than a thread has at hand
    }
}
static void *work(void *arg) {
    stir(88172645463325252u + (uintptr_t)arg * 7919, STEPS / (1 + (uintptr_t)arg % 3));
    return NULL;
}
static int find(void *block, size_t size, void *arg) {
    for (size_t i = 0; i < SLOTS; i++)
        if (slots[i].at == block) {
            CHECK(size >= slots[i].size);
            ++*(size_t *)arg;
            return 0;
        }
    CHECK(!"a block that nobody holds");
    return 1;
}

int main(void) {
    struct hak_arena_options options = {.size = sizeof options, .name = "shared", .flags = HAK_ARENA_SHARED};
    for (size_t i = 0; i < COUNT(extra); i++) CHECK((extra[i] = hak_arena_new(&options)));
    for (size_t i = 0; i < SLOTS; i++) pthread_mutex_init(&slots[i].lock, NULL);
    for (int life = 0; life < 3; life++) {
        zeroed = life == 2;
        options.flags = HAK_ARENA_SHARED | (zeroed ? HAK_ARENA_ZEROED : 0);
        options.limit = life == 1 ? 6 * MIB : 0;
        CHECK((arena = hak_arena_new(&options)));
        for (int round = 0; round < 2; round++) {
            pthread_t threads[THREADS];
            for (uintptr_t i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, work, (void *)(i + 1)) == 0);
            stir(42, STEPS / 2);
            for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
            struct hak_arena_figures f;
            CHECK(hak_arena_stats(arena, &f, sizeof f) == 0);
            size_t held = 0, walked = 0;
            for (size_t i = 0; i < SLOTS; i++) held += slots[i].at != NULL;
            CHECK(f.live_blocks == held && hak_arena_walk(arena, find, &walked) == 0 && walked == held);
            if (options.limit) CHECK(f.live_bytes <= options.limit);
            hak_arena_reset(arena);
            CHECK(hak_arena_stats(arena, &f, sizeof f) == 0 && f.live_blocks == 0);
            for (size_t i = 0; i < SLOTS; i++) slots[i].at = NULL, slots[i].size = 0;
        }
        hak_arena_destroy(arena);
    }
    for (size_t i = 0; i < COUNT(extra); i++) hak_arena_destroy(extra[i]);
    struct hak_stats s;
    CHECK(hak_stats_get(&s, sizeof s) == 0 && s.live_bytes < 4 * MIB);
}
