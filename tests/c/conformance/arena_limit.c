// An arena's limit: what its blocks hold is never more, a request beyond it fails with ENOMEM and is counted, and what is freed or reset can be had
// again, all of it, in other sizes too. malloc is not touched by that. An arena of zeroes hands out nothing else.
// hakmem
// run: for e in A=1 HAKMEM_TINY_HEAP_V2=0 HAKMEM_HARDENED=1; do env $e $RUN || exit 1; done
#include "check.h"
#include <hakmem.h>

static struct hak_arena_figures figures(hak_arena *arena) {
    struct hak_arena_figures f;
    CHECK(hak_arena_stats(arena, &f, sizeof f) == 0);
    return f;
}

int main(void) {
    struct hak_arena_options options = {.size = sizeof options, .name = "a name that is longer than the room there is", .limit = 8 * MIB};
    hak_arena *arena = hak_arena_new(&options);
    CHECK(strlen(figures(arena).name) == HAK_ARENA_NAME_MAX - 1 && figures(arena).limit == 8 * MIB);
    static const size_t sizes[] = {48, 1000, 16, 40000, 300000, 2 * MIB, 5000};
    static void *blocks[600000];
    uint64_t refused = 0;
    for (size_t round = 0; round < 3 * COUNT(sizes); round++) {
        size_t size = sizes[round % COUNT(sizes)], n = 0;
        while ((blocks[n] = hak_arena_malloc(arena, size))) n++, CHECK(n < COUNT(blocks));
        CHECK(errno == ENOMEM && figures(arena).refused == ++refused);
        struct hak_arena_figures f = figures(arena);
        CHECK(f.live_blocks == n && f.live_bytes <= 8 * MIB && f.live_bytes + 2 * hak_usable_size(blocks[0]) + 20 > 8 * MIB - size);
        CHECK(n >= (size < 1000 ? 8 * MIB / 64 : size > MIB ? 3 : 6 * MIB / size));
        void *other = malloc(16 * MIB);
        CHECK(other);
        free(other);
        CHECK(hak_arena_realloc(arena, blocks[n - 1], 9 * MIB) == NULL && errno == ENOMEM), refused++;
        hak_arena_free(arena, blocks[--n]);
        CHECK((blocks[n] = hak_arena_malloc(arena, size)));
        if (round % 3 == 0) hak_arena_reset(arena);
        else
            for (size_t i = 0; i <= n; i++) round % 3 == 1 ? hak_arena_free(arena, blocks[i]) : free(blocks[i]);
        CHECK(figures(arena).live_blocks == 0);
    }
    // At the limit a block may get smaller, and what it gives up can be had.
    void *all = hak_arena_malloc(arena, 8 * MIB);
    CHECK(all && !hak_arena_malloc(arena, 2 * MIB));
    CHECK(hak_arena_realloc(arena, all, 5 * MIB) == all && (blocks[0] = hak_arena_malloc(arena, 2 * MIB)));
    hak_arena_free(arena, all), hak_arena_free(arena, blocks[0]);
    CHECK((all = hak_arena_malloc(arena, 8 * MIB)));
    hak_arena_free(arena, all);
    static char json[1 << 17];
    CHECK(hak_stats_json(json, sizeof json) < sizeof json && strstr(json, "\"name\": \"a name that is longer than") && strstr(json, "\"limit\": 8388608"));
    hak_arena_destroy(arena);
    CHECK(hak_stats_json(json, sizeof json) < sizeof json && strstr(json, "\"arenas\": []"));
    options.limit = 0, options.name = NULL, options.flags = HAK_ARENA_ZEROED;
    arena = hak_arena_new(&options);
    CHECK(figures(arena).name[0] == 0);
    for (int round = 0; round < 20; round++) {
        for (size_t size = 1; size < 3 * MIB; size += 1 + size / 3) {
            unsigned char *p = hak_arena_malloc(arena, size);
            CHECK(p && hak_arena_of(p) == arena);
            for (size_t i = 0; i < size; i++) CHECK(p[i] == 0);
            memset(p, 255, size);
            if (size % 3 == 0) hak_arena_free(arena, p);
        }
        hak_arena_reset(arena);
    }
    hak_arena_destroy(arena);
}
