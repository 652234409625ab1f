// An owned arena against a plain list of blocks: sizes from 0 to 3 MiB, aligned ones, calloc, both frees, realloc into, within and out of the arena,
// reset, figures, the walk and hak_arena_of; contents, alignment and the blocks of malloc beside it stay what they are.
// hakmem
// run: for e in A=1 HAKMEM_TINY_HEAP_V2=0 HAKMEM_HARDENED=1 HAKMEM_GUARD_RATE=3; do env $e $RUN || exit 1; done
#include "check.h"
#include <hakmem.h>

#define MOST 600
static struct block {
    unsigned char *at;
    size_t size;
    int seen;
} held[MOST];
static size_t count;
static uint64_t state = 88172645463325252u;

static size_t below(size_t n) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state % n;
}
static unsigned char mark(const void *p, size_t size) { return (unsigned char)(((uintptr_t)p >> 4) * 31 + size); }
static void fill(unsigned char *p, size_t size) {
    memset(p, mark(p, size), size < 20000 ? size : 9000);
    if (size >= 20000) memset(p + size - 9000, mark(p, size), 9000);
}
static void look(const unsigned char *p, size_t size, size_t upto, unsigned char with) {
    for (size_t i = 0; i < upto; i++)
        if (size < 20000 || i < 9000 || i >= size - 9000) CHECK(p[i] == with);
}
static size_t any_size(void) {
    size_t kind = below(100);
    return kind < 60 ? below(600) : kind < 90 ? below(20000) : kind < 97 ? below(300000) : below(3 * MIB);
}
static void keep(void *p, size_t size) {
    CHECK(p && (uintptr_t)p % 16 == 0 && hak_usable_size(p) >= size);
    fill(p, size);
    held[count++] = (struct block){p, size, 0};
}
static void drop(size_t i) { held[i] = held[--count]; }

static int visit(void *block, size_t size, void *arg) {
    for (size_t i = 0; i < count; i++)
        if (held[i].at == block) {
            CHECK(size >= held[i].size && held[i].seen++ == 0);
            ++*(size_t *)arg;
            return 0;
        }
    CHECK(!"a block that the program does not hold");
    return 1;
}
static int stop(void *block, size_t size, void *arg) { return 7; }

static void inspect(hak_arena *arena) {
    struct hak_arena_figures f;
    CHECK(hak_arena_stats(arena, &f, sizeof f) == 0 && f.size == sizeof f && strcmp(f.name, "model") == 0);
    CHECK(f.live_blocks == count && f.live_bytes <= f.held_bytes && f.limit == 0);
    size_t walked = 0;
    CHECK(hak_arena_walk(arena, visit, &walked) == 0 && walked == count);
    for (size_t i = 0; i < count; i++) CHECK(held[i].seen == 1), held[i].seen = 0;
    CHECK(hak_arena_walk(arena, stop, NULL) == (count ? 7 : 0));
}

static void round_of(hak_arena *arena, size_t steps) {
    for (size_t step = 0; step < steps; step++) {
        size_t size = any_size(), what = count < MOST ? below(10) : 9, i = count ? below(count) : 0;
        if (what < 4) {
            keep(hak_arena_malloc(arena, size), size);
        } else if (what < 5) {
            unsigned char *p = hak_arena_calloc(arena, 1, size);
            CHECK(p);
            for (size_t at = 0; at < size; at++) CHECK(p[at] == 0);
            keep(p, size);
        } else if (what < 6) {
            size_t align = (size_t)1 << below(20);
            void *p = hak_arena_aligned_alloc(arena, align, size);
            CHECK(((uintptr_t)p & (align - 1)) == 0);
            keep(p, size);
        } else if (count && what < 8) {
            struct block b = held[i];
            unsigned char with = mark(b.at, b.size);
            size_t both = b.size < size ? b.size : size;
            if (size == 0) size = 1;
            drop(i);
            if (below(4)) {
                unsigned char *p = hak_arena_realloc(arena, b.at, size);
                CHECK(p && hak_arena_of(p) == arena);
                look(p, b.size, both, with);
                keep(p, size);
            } else { // out of the arena, or where it is, and back
                unsigned char *p = realloc(b.at, size);
                look(p, b.size, both, with);
                p = hak_arena_realloc(arena, p, size);
                CHECK(hak_arena_of(p) == arena);
                look(p, b.size, both, with);
                keep(p, size);
            }
        } else if (count) {
            look(held[i].at, held[i].size, held[i].size, mark(held[i].at, held[i].size));
            CHECK(hak_arena_of(held[i].at) == arena);
            if (below(2)) hak_arena_free(arena, held[i].at);
            else free(held[i].at);
            drop(i);
        }
    }
}

int main(void) {
    struct hak_arena_options options = {.size = sizeof options, .name = "model"};
    unsigned char *others[50];
    for (size_t i = 0; i < COUNT(others); i++) fill(others[i] = malloc(i * 40), i * 40);
    for (int life = 0; life < 3; life++) {
        hak_arena *arena = hak_arena_new(&options);
        CHECK(arena && hak_arena_of(others[1]) == NULL && hak_arena_of(NULL) == NULL && hak_arena_of(&life) == NULL);
        inspect(arena);
        for (int round = 0; round < 12; round++) {
            round_of(arena, round % 3 ? 60 : 700);
            if (round % 2) inspect(arena);
            for (size_t i = 0; i < count; i++) look(held[i].at, held[i].size, held[i].size, mark(held[i].at, held[i].size));
            hak_arena_reset(arena);
            count = 0;
            if (round % 4 == 1) inspect(arena);
        }
        round_of(arena, 300);
        count = 0;
        hak_arena_destroy(arena);
    }
    for (size_t i = 0; i < COUNT(others); i++) look(others[i], i * 40, i * 40, mark(others[i], i * 40)), free(others[i]);
    hak_arena_destroy(NULL);
    CHECK(hak_arena_walk(NULL, NULL, NULL) == EINVAL);
    options.flags = 1u << 20;
    CHECK(hak_arena_new(&options) == NULL && errno == EINVAL);
}
